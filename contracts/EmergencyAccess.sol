// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ExamId, Grantee, IConsentLedger, Pointer} from "./interfaces/IConsentLedger.sol";
import {Emergency, EmergencyReason, IEmergencyAccess, Opening} from "./interfaces/IEmergencyAccess.sol";
import {Ids} from "./libraries/Ids.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title EmergencyAccess
/// @notice Break-glass openings of exams. All of it is documented in `IEmergencyAccess`.
contract EmergencyAccess is IEmergencyAccess, EIP712 {
    using Signatures for bytes;

    /// @dev One slot for each exam.
    struct History {
        uint64 count;
        uint40 lastOpenedAt;
    }

    uint256 private constant _LONGEST = 4 hours;
    uint256 private constant _ALONE_AGAIN_AFTER = 1 days;

    /// @inheritdoc IEmergencyAccess
    IConsentLedger public immutable LEDGER;

    /// @inheritdoc IEmergencyAccess
    mapping(address custodian => mapping(address badge => bool)) public isPractitioner;

    /// @inheritdoc IEmergencyAccess
    mapping(ExamId => History) public historyOf;

    mapping(ExamId => mapping(Grantee reader => Opening)) private _openings;

    constructor(IConsentLedger ledger) EIP712("ExamKey EmergencyAccess", "1") {
        LEDGER = ledger;
    }

    /// @inheritdoc IEmergencyAccess
    function setPractitioner(address badge, bool named) external {
        isPractitioner[msg.sender][badge] = named;
        emit PractitionerSet(msg.sender, badge, named);
    }

    /// @inheritdoc IEmergencyAccess
    function open(
        Emergency calldata emergency,
        address badge,
        bytes calldata signature,
        address second,
        bytes calldata secondSignature
    ) external returns (ExamId examId) {
        _requireOperator(emergency.custodian);
        examId = Ids.exam(emergency.custodian, emergency.patient, emergency.commitment);
        _requireOpenable(emergency, examId);

        _requireSigned(emergency, examId, badge, signature);
        History storage history = historyOf[examId];
        if (second != address(0)) {
            if (second == badge) revert EmergencyAccessSameBadge(badge);
            _requireSigned(emergency, examId, second, secondSignature);
        } else if (block.timestamp < history.lastOpenedAt + _ALONE_AGAIN_AFTER) {
            revert EmergencyAccessSecondNeeded(examId, history.lastOpenedAt);
        }

        (history.count, history.lastOpenedAt) = (emergency.count + 1, uint40(block.timestamp));
        _openings[examId][emergency.reader] = Opening(
            uint40(block.timestamp),
            emergency.until,
            emergency.reason
        );
        emit EmergencyOpened(
            examId,
            emergency.custodian,
            emergency.reader,
            badge,
            second,
            emergency.reason,
            emergency.until
        );
    }

    /// @inheritdoc IEmergencyAccess
    function close(address custodian, address patient, bytes32 commitment, Grantee reader) external {
        _requireOperator(custodian);
        ExamId examId = Ids.exam(custodian, patient, commitment);
        if (!isOpen(examId, reader, block.timestamp)) revert EmergencyAccessNotOpen(examId, reader);
        _openings[examId][reader].until = uint40(block.timestamp);
        emit EmergencyClosed(examId, custodian, reader);
    }

    /// @inheritdoc IEmergencyAccess
    function openingOf(ExamId examId, Grantee reader) external view returns (Opening memory) {
        return _openings[examId][reader];
    }

    /// @inheritdoc IEmergencyAccess
    function isOpen(ExamId examId, Grantee reader, uint256 time) public view returns (bool) {
        Opening storage opening = _openings[examId][reader];
        bool inTime = opening.openedAt <= time && time < opening.until;
        return inTime && !LEDGER.pointerOf(examId).retired;
    }

    function _requireOperator(address custodian) private view {
        if (msg.sender != custodian && !LEDGER.isOperator(custodian, msg.sender)) {
            revert EmergencyAccessNotOperator(custodian, msg.sender);
        }
    }

    function _requireOpenable(Emergency calldata emergency, ExamId examId) private view {
        Pointer memory pointer = LEDGER.pointerOf(examId);
        if (pointer.owner == address(0) || pointer.retired) revert EmergencyAccessNoExam(examId);
        if (Grantee.unwrap(emergency.reader) == 0 || emergency.reason == EmergencyReason.None) {
            revert EmergencyAccessIncomplete();
        }
        uint256 latest = block.timestamp + _LONGEST;
        if (emergency.until <= block.timestamp || emergency.until > latest) {
            revert EmergencyAccessUntilOutOfRange(emergency.until, latest);
        }
        uint256 current = historyOf[examId].count;
        if (emergency.count != current) revert EmergencyAccessCountMismatch(emergency.count, current);
    }

    function _requireSigned(
        Emergency calldata emergency,
        ExamId examId,
        address badge,
        bytes calldata signature
    ) private view {
        address custodian = emergency.custodian;
        if (!isPractitioner[custodian][badge]) revert EmergencyAccessNotPractitioner(custodian, badge);
        bytes32 digest = _hashTypedDataV4(TypedData.emergency(emergency, examId, badge));
        if (!signature.isFrom(badge, digest)) revert EmergencyAccessInvalidSignature(badge);
    }
}
