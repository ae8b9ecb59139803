// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ExamId, Grantee, IConsentLedger} from "./IConsentLedger.sol";

/// @notice Why the patient was not asked.
enum EmergencyReason {
    None,
    LifeThreatening,
    PatientUnresponsive,
    PatientIncapable
}

/// @notice What a practitioner signs in order to read an exam in an emergency.
struct Emergency {
    /// @notice Whose exam it is, as registered in the ledger.
    address custodian;
    /// @notice The patient that the exam was registered for.
    address patient;
    /// @notice The exam's commitment, as registered.
    bytes32 commitment;
    /// @notice Who will read: their address, blinded with a salt that is used this once.
    Grantee reader;
    /// @notice Why the patient was not asked.
    EmergencyReason reason;
    /// @notice The first second at which it is over, in seconds since 1970-01-01 UTC; the signature is dead then too.
    uint40 until;
    /// @notice How many emergencies the exam has had before: no signature opens it twice.
    uint64 count;
}

/// @notice One reader's emergency on one exam.
struct Opening {
    /// @notice When it was opened, in seconds since 1970-01-01 UTC; zero if it never was.
    uint40 openedAt;
    /// @notice The first second at which it is over.
    uint40 until;
    /// @notice Why the patient was not asked.
    EmergencyReason reason;
}

/// @title IEmergencyAccess
/// @notice Break-glass: a practitioner reads an exam for a few hours without the patient's grant, where all can see that it
/// happened, and the patient is shown who did. It decides nothing by itself: `ConsentLedger.check` does not know of it. A
/// gateway lets a reader through by one or the other, and says by which.
///
/// Invariants:
/// - Nothing is open for longer than four hours after it was opened.
/// - An exam that was opened is not opened again within a day, unless two badges have signed, each for itself.
/// - Only a practitioner whom the exam's custodian has named can open it, and only through that custodian or its operator.
/// - No signature opens anything twice.
///
/// Assumptions:
/// - A practitioner is named by a badge: an address that they use for this alone. Signatures show it, and only the custodian
///   can tie it to a person, and see to it that no person has two. Who reads is blinded anew each time, by whoever opens:
///   the contract cannot tell a blinded reader from a plain one.
/// - A custodian can name as many badges as it likes, and register a study again under another id. That is why the count is
///   kept for the exam, and why the patient is shown every emergency: what is here keeps a custodian honest before others,
///   it cannot keep a custodian from its own archive.
///
/// Administration: none beyond that each custodian names its own practitioners.
///
/// State machine of an exam: never opened -> opened, again and again. Of an opening: open -> over, by time or by `close`.
interface IEmergencyAccess {
    /// @notice The sender is neither the custodian nor one of its operators.
    error EmergencyAccessNotOperator(address custodian, address sender);
    /// @notice The custodian has not named this practitioner.
    error EmergencyAccessNotPractitioner(address custodian, address badge);
    /// @notice Not the practitioner's signature over this emergency, on this chain, for this contract.
    error EmergencyAccessInvalidSignature(address badge);
    /// @notice The exam was opened within the last day: a second practitioner must sign.
    error EmergencyAccessSecondNeeded(ExamId examId, uint256 openedAt);
    /// @notice The second practitioner must be another than the first.
    error EmergencyAccessSameBadge(address badge);
    /// @notice No such exam is in the ledger, or it is retired.
    error EmergencyAccessNoExam(ExamId examId);
    /// @notice An emergency ends after now, and four hours from now at the latest.
    error EmergencyAccessUntilOutOfRange(uint256 until, uint256 latest);
    /// @notice An emergency needs a reader, and a reason.
    error EmergencyAccessIncomplete();
    /// @notice The exam was opened since this was signed. Sign anew.
    error EmergencyAccessCountMismatch(uint256 signed, uint256 current);
    /// @notice Nothing is open for this reader.
    error EmergencyAccessNotOpen(ExamId examId, Grantee reader);

    /// @notice A custodian named a practitioner by their badge, or took the name away.
    event PractitionerSet(address indexed custodian, address indexed badge, bool named);

    /// @notice An exam was opened for a reader; `second` is zero where one signature was enough.
    event EmergencyOpened(
        ExamId indexed examId,
        address indexed custodian,
        Grantee indexed reader,
        address badge,
        address second,
        EmergencyReason reason,
        uint256 until
    );

    /// @notice An emergency was ended before its time.
    event EmergencyClosed(ExamId indexed examId, address indexed custodian, Grantee indexed reader);

    /// @notice Names a practitioner of the sender, a custodian, by their badge, or takes the name away.
    /// @dev Warning: what a badge has opened stays open until it is over, or closed.
    function setPractitioner(address badge, bool named) external;

    /// @notice Opens an exam to a reader for whom a practitioner signed. Sent by the custodian or one of its operators. A
    /// second practitioner's signature is needed where the exam was opened less than a day ago; it is checked where given.
    /// @param badge Whose signature `signature` is.
    /// @param second Whose signature `secondSignature` is; zero for nobody.
    function open(
        Emergency calldata emergency,
        address badge,
        bytes calldata signature,
        address second,
        bytes calldata secondSignature
    ) external returns (ExamId examId);

    /// @notice Ends an emergency before its time. Sent by the custodian or one of its operators.
    function close(address custodian, address patient, bytes32 commitment, Grantee reader) external;

    /// @notice The ledger that says which exams there are, and who a custodian's operators are.
    function LEDGER() external view returns (IConsentLedger);

    /// @notice Whether `custodian` has named this practitioner.
    function isPractitioner(address custodian, address badge) external view returns (bool);

    /// @notice Whether the reader's last emergency on the exam is open at `time`: from when it was opened until it is over. Once
    /// the exam is retired, none is; that it was handed over changes nothing. Of the past, only the events tell all.
    function isOpen(ExamId examId, Grantee reader, uint256 time) external view returns (bool);

    /// @notice What is kept of a reader's last emergency on an exam.
    function openingOf(ExamId examId, Grantee reader) external view returns (Opening memory);

    /// @notice How many emergencies an exam has had, and when the last was opened.
    function historyOf(ExamId examId) external view returns (uint64 count, uint40 lastOpenedAt);
}
