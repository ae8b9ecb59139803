// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Terms} from "../types/Terms.sol";

/// @notice Names one exam: `H(EXAM, custodian, patient, commitment)`. It is also the resource that covers the whole exam.
type ExamId is bytes32;

/// @notice What a grant covers: an exam id, or a series `H(SERIES, examId, seriesCommitment)`.
type Resource is bytes32;

/// @notice Who a grant is for: an address, left-padded with zeros.
type Grantee is bytes32;

/// @notice Why a decision is what it is.
enum Reason {
    MalformedQuery,
    Permitted,
    UnknownExam,
    RetiredExam,
    NotGranted,
    NotYetValid,
    Expired,
    Revoked,
    PurposeNotGranted,
    ActionNotGranted
}

/// @notice What the ledger keeps of an exam, in two slots.
///
/// ```
/// bit 255   216 215  208 207       160 159                0
///     +--------+--------+-------------+--------------------+
///     | unused | retired|  version 48 |     owner 160      |
///     +--------+--------+-------------+--------------------+
///     |                  manifestRoot 256                  |
///     +----------------------------------------------------+
/// ```
///
/// The custodian is not stored: it is part of the id, and whoever names it proves it by recomputing the id.
struct Pointer {
    /// @notice The patient who owns the exam; zero if the id was never registered.
    address owner;
    /// @notice 1 at registration, one more at each amendment.
    uint48 version;
    /// @notice True for good once the custodian has retired the id, registered or not.
    bool retired;
    /// @notice Root of the salted Merkle tree over the exam's frames.
    bytes32 manifestRoot;
}

/// @notice The state of the one slot that belongs to a patient, a resource and a grantee.
struct Grant {
    /// @notice Zero once revoked.
    Terms terms;
    /// @notice When the terms were granted, in seconds since 1970-01-01 UTC; zero once revoked.
    uint40 grantedAt;
    /// @notice Whether the last act was a revoke. `revokeAll` does not set it.
    bool revoked;
    /// @notice How often the slot was written.
    uint80 nonce;
}

/// @notice What `check` is asked. Every field is a full word, so that no input makes the decoder revert.
struct Query {
    /// @notice The custodian's address, as registered.
    uint256 custodian;
    /// @notice The patient's address, as registered.
    uint256 patient;
    /// @notice The exam's commitment, as registered.
    bytes32 commitment;
    /// @notice The series asked for, or zero for the exam as a whole.
    bytes32 seriesCommitment;
    /// @notice The address that wants to read.
    uint256 reader;
    /// @notice A mask with exactly one of the 32 purpose bits.
    uint256 purpose;
    /// @notice A mask with exactly one of the 16 action bits.
    uint256 action;
    /// @notice The time to judge at, in seconds since 1970-01-01 UTC.
    uint256 time;
}

/// @title IConsentLedger
/// @notice Pointers to imaging exams, and the grants by which patients let others read them.
///
/// Invariants:
/// - An id is registered at most once, and never again after it was retired.
/// - Only a patient writes the grants that count for their exams: every grant is kept under the address that made it.
/// - One act of the patient is one slot. Granting again replaces; two grants never add up.
/// - `check` never reverts, and permits only on one grant that is live and satisfies period, purpose and action.
///
/// Assumptions:
/// - Commitments are salted with 32 random bytes kept off chain: the ledger cannot tell a blinded one from a plain one.
/// - Anyone may register under their own address. Whether a custodian is to be believed is the reader's question, which
///   `ICustodianRegistry` answers.
///
/// Administration: none. No owner, no proxy, no ether; nobody can stop or change it.
///
/// State machine of an id: unknown -> registered -> retired, or unknown -> retired. Of a grant: empty -> granted or
/// revoked, then between these two for ever.
interface IConsentLedger {
    /// @notice The id was registered before.
    error ConsentLedgerExamRegistered(ExamId examId);
    /// @notice The id was never registered.
    error ConsentLedgerExamUnknown(ExamId examId);
    /// @notice The id is retired, for good.
    error ConsentLedgerExamRetired(ExamId examId);
    /// @notice The sender is neither the custodian nor one of its operators.
    error ConsentLedgerNotOperator(address custodian, address sender);
    /// @notice An exam needs a patient.
    error ConsentLedgerZeroPatient();
    /// @notice A grant needs a grantee.
    error ConsentLedgerZeroGrantee();
    /// @notice The period covers no second.
    error ConsentLedgerEmptyPeriod(uint256 notBefore, uint256 notAfter);
    /// @notice The terms name no purpose.
    error ConsentLedgerZeroPurposes();
    /// @notice The terms name no action.
    error ConsentLedgerZeroActions();
    /// @notice The terms have bits above their fields.
    error ConsentLedgerUnknownTerms(Terms terms);

    /// @notice A custodian named an operator, or took the name away.
    event OperatorSet(address indexed custodian, address indexed operator, bool named);

    /// @notice An exam was registered, as version 1.
    event ExamRegistered(
        ExamId indexed examId,
        address indexed custodian,
        address indexed patient,
        bytes32 commitment,
        bytes32 manifestRoot
    );

    /// @notice An exam's manifest was replaced. Older roots are those of the older events.
    event ExamAmended(
        ExamId indexed examId,
        address indexed custodian,
        uint256 version,
        bytes32 manifestRoot
    );

    /// @notice An exam was retired, for good.
    event ExamRetired(ExamId indexed examId, address indexed custodian);

    /// @notice A patient granted; whatever the slot held before is replaced.
    event Granted(
        address indexed patient,
        Resource indexed resource,
        Grantee indexed grantee,
        Terms terms,
        uint256 nonce
    );

    /// @notice A patient revoked.
    event Revoked(address indexed patient, Resource indexed resource, Grantee indexed grantee, uint256 nonce);

    /// @notice A patient revoked every grant they had made until now, this second included.
    event RevokedAll(address indexed patient, uint256 epoch);

    /// @notice Names an operator of the sender, or takes the name away. Operators may register and amend for the sender.
    /// @dev Warning: an operator is trusted with every exam of the custodian. It should be a key that only registers.
    function setOperator(address operator, bool named) external;

    /// @notice Registers an exam that belongs to `patient`. Sent by the custodian or one of its operators.
    /// @dev Warning: `commitment` and `manifestRoot` are public for ever. Computed without a secret salt, they identify
    /// the patient to whoever can guess what they cover.
    /// @param commitment `H(STUDY, salt, studyInstanceUid)`
    /// @param manifestRoot Root of the salted Merkle tree over the exam's frames.
    /// @return examId The exam's id; the call reverts if it was registered or retired before.
    function register(
        address custodian,
        address patient,
        bytes32 commitment,
        bytes32 manifestRoot
    ) external returns (ExamId examId);

    /// @notice Replaces the manifest of an exam, as when series arrive late. Sent by the custodian or an operator.
    /// @dev Warning: what is granted on the exam covers what is added to it.
    function amend(address custodian, address patient, bytes32 commitment, bytes32 manifestRoot) external;

    /// @notice Retires an exam of the sender, the custodian, and leaves a tombstone: the id stays closed for good.
    /// @dev Warning: an id that was never registered can be retired too, so that it never will be. Check the commitment.
    function retire(address patient, bytes32 commitment) external;

    /// @notice Lets `grantee` read `resource` under `terms`, in place of whatever was granted to them on it before.
    /// @dev Warning: neither the resource nor the grantee is looked up. A grant may precede the registration of its exam,
    /// and a grant on a mistaken resource opens nothing and says nothing.
    function grant(Resource resource, Grantee grantee, Terms terms) external;

    /// @notice Ends what `grantee` was granted on `resource`, at once. Revoking what was never granted counts too: it keeps
    /// a series out of a grant for its exam.
    /// @dev Warning: revoking an exam leaves grants on its single series as they are.
    function revoke(Resource resource, Grantee grantee) external;

    /// @notice Ends every grant of the sender, at once, whatever their number. Grants made later in the same second are
    /// dead too; grants made from the next second on count as ever.
    function revokeAll() external;

    /// @notice Decides whether a reader may act on an exam or a series. Never reverts.
    ///
    /// A query with dirty addresses, or not exactly one purpose and one action, is malformed. The owner of an exam that
    /// is not retired is always permitted. Anybody else needs one grant that alone satisfies period, purpose and action.
    /// For a series, its own slot is judged first: a permit stands, and so does a revoke, whatever the grant on the exam
    /// says. Where both deny, the reason is that of the series, unless nothing was ever granted on it.
    ///
    /// @dev Warning: a permit is for `query.time`. Asked with a time of the caller's choosing, it is no proof for another.
    /// @return reason Why.
    /// @return validUntil With a permit, when it ends by itself: the grant's `notAfter`, or the greatest word for the
    /// owner. Zero with a denial.
    function check(Query calldata query) external view returns (Reason reason, uint256 validUntil);

    /// @notice Whether `custodian` has named `operator`.
    function isOperator(address custodian, address operator) external view returns (bool);

    /// @notice What is kept of an exam.
    function pointerOf(ExamId examId) external view returns (Pointer memory);

    /// @notice The slot of a patient, a resource and a grantee.
    /// @dev Warning: not a decision. `revokeAll`, retirement, period, purpose and action are weighed by `check` alone.
    function grantOf(
        address patient,
        Resource resource,
        Grantee grantee
    ) external view returns (Grant memory);

    /// @notice When a patient last revoked all, in seconds since 1970-01-01 UTC (zero: never), and how often.
    function revokedAll(address patient) external view returns (uint40 time, uint216 epoch);
}
