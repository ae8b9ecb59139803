// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ExamId,
    Grant,
    Grantee,
    IConsentLedger,
    Pointer,
    Query,
    Reason,
    Resource
} from "./interfaces/IConsentLedger.sol";
import {Ids} from "./libraries/Ids.sol";
import {GrantSlot} from "./types/GrantSlot.sol";
import {Terms} from "./types/Terms.sol";

/// @title ConsentLedger
/// @notice Pointers to imaging exams, and patients' grants on them. All of it is documented in `IConsentLedger`.
contract ConsentLedger is IConsentLedger {
    /// @dev The slot by reference, so that reading and writing it hash its key once.
    struct Entry {
        GrantSlot slot;
    }

    /// @dev When a patient last revoked all, and how often: one slot.
    struct RevokeAll {
        uint40 time;
        uint216 epoch;
    }

    /// @inheritdoc IConsentLedger
    mapping(address custodian => mapping(address operator => bool)) public isOperator;

    mapping(ExamId => Pointer) private _pointers;

    /// @dev Flat, by the hash of patient, resource and grantee: a grant touches its own slot and no other.
    mapping(bytes32 key => Entry) private _grants;

    /// @inheritdoc IConsentLedger
    mapping(address patient => RevokeAll) public revokedAll;

    // Custodians

    /// @inheritdoc IConsentLedger
    function setOperator(address operator, bool named) external {
        isOperator[msg.sender][operator] = named;
        emit OperatorSet(msg.sender, operator, named);
    }

    /// @inheritdoc IConsentLedger
    function register(
        address custodian,
        address patient,
        bytes32 commitment,
        bytes32 manifestRoot
    ) external returns (ExamId examId) {
        _checkOperator(custodian);
        if (patient == address(0)) revert ConsentLedgerZeroPatient();
        examId = Ids.exam(custodian, patient, commitment);

        Pointer storage pointer = _pointers[examId];
        if (pointer.retired) revert ConsentLedgerExamRetired(examId);
        if (pointer.owner != address(0)) revert ConsentLedgerExamRegistered(examId);
        (pointer.owner, pointer.version, pointer.manifestRoot) = (patient, 1, manifestRoot);
        emit ExamRegistered(examId, custodian, patient, commitment, manifestRoot);
    }

    /// @inheritdoc IConsentLedger
    function amend(address custodian, address patient, bytes32 commitment, bytes32 manifestRoot) external {
        _checkOperator(custodian);
        ExamId examId = Ids.exam(custodian, patient, commitment);

        Pointer storage pointer = _pointers[examId];
        if (pointer.retired) revert ConsentLedgerExamRetired(examId);
        if (pointer.owner == address(0)) revert ConsentLedgerExamUnknown(examId);
        uint48 version = pointer.version + 1;
        (pointer.version, pointer.manifestRoot) = (version, manifestRoot);
        emit ExamAmended(examId, custodian, version, manifestRoot);
    }

    /// @inheritdoc IConsentLedger
    function retire(address patient, bytes32 commitment) external {
        ExamId examId = Ids.exam(msg.sender, patient, commitment);
        if (_pointers[examId].retired) revert ConsentLedgerExamRetired(examId);
        _pointers[examId].retired = true;
        emit ExamRetired(examId, msg.sender);
    }

    // Patients

    /// @inheritdoc IConsentLedger
    function grant(Resource resource, Grantee grantee, Terms terms) external {
        if (Grantee.unwrap(grantee) == 0) revert ConsentLedgerZeroGrantee();
        if (terms.excess() != 0) revert ConsentLedgerUnknownTerms(terms);
        if (terms.notAfter() <= terms.notBefore()) {
            revert ConsentLedgerEmptyPeriod(terms.notBefore(), terms.notAfter());
        }
        if (terms.purposes() == 0) revert ConsentLedgerZeroPurposes();
        if (terms.actions() == 0) revert ConsentLedgerZeroActions();

        Entry storage entry = _entry(msg.sender, resource, grantee);
        GrantSlot slot = entry.slot.granted(terms, block.timestamp);
        entry.slot = slot;
        emit Granted(msg.sender, resource, grantee, terms, slot.nonce());
    }

    /// @inheritdoc IConsentLedger
    function revoke(Resource resource, Grantee grantee) external {
        Entry storage entry = _entry(msg.sender, resource, grantee);
        GrantSlot slot = entry.slot.revoked();
        entry.slot = slot;
        emit Revoked(msg.sender, resource, grantee, slot.nonce());
    }

    /// @inheritdoc IConsentLedger
    function revokeAll() external {
        RevokeAll storage all = revokedAll[msg.sender];
        uint216 epoch = all.epoch + 1;
        (all.time, all.epoch) = (uint40(block.timestamp), epoch);
        emit RevokedAll(msg.sender, epoch);
    }

    // Readers

    /// @inheritdoc IConsentLedger
    function check(Query calldata query) external view returns (Reason reason, uint256 validUntil) {
        if (!_isWellFormed(query)) return (Reason.MalformedQuery, 0);
        ExamId examId = Ids.exam(
            address(uint160(query.custodian)),
            address(uint160(query.patient)),
            query.commitment
        );

        Pointer storage pointer = _pointers[examId];
        address owner = pointer.owner;
        if (pointer.retired) return (Reason.RetiredExam, 0);
        if (owner == address(0)) return (Reason.UnknownExam, 0);
        if (query.reader == uint160(owner)) return (Reason.Permitted, type(uint256).max);

        bool isSeries = query.seriesCommitment != 0;
        Resource exam = Ids.whole(examId);
        Resource narrowest = isSeries ? Ids.series(examId, query.seriesCommitment) : exam;
        Grantee reader = Grantee.wrap(bytes32(query.reader));

        GrantSlot slot = _entry(owner, narrowest, reader).slot;
        reason = _judge(slot, owner, query);
        if (isSeries && reason != Reason.Permitted && !slot.isRevoked()) {
            GrantSlot wider = _entry(owner, exam, reader).slot;
            Reason ofExam = _judge(wider, owner, query);
            if (ofExam == Reason.Permitted || reason == Reason.NotGranted) (slot, reason) = (wider, ofExam);
        }
        if (reason == Reason.Permitted) validUntil = slot.terms().notAfter();
    }

    /// @inheritdoc IConsentLedger
    function pointerOf(ExamId examId) external view returns (Pointer memory) {
        return _pointers[examId];
    }

    /// @inheritdoc IConsentLedger
    function grantOf(
        address patient,
        Resource resource,
        Grantee grantee
    ) external view returns (Grant memory) {
        GrantSlot slot = _entry(patient, resource, grantee).slot;
        return Grant(slot.terms(), slot.grantedAt(), slot.isRevoked(), uint80(slot.nonce()));
    }

    // Within

    function _checkOperator(address custodian) private view {
        if (msg.sender != custodian && !isOperator[custodian][msg.sender]) {
            revert ConsentLedgerNotOperator(custodian, msg.sender);
        }
    }

    /// @dev Judges one slot alone. An empty slot was never granted; one that `revokeAll` ended counts as revoked.
    function _judge(GrantSlot slot, address patient, Query calldata query) private view returns (Reason) {
        Terms terms = slot.terms();
        if (slot.nonce() == 0) return Reason.NotGranted;
        if (slot.isRevoked() || slot.grantedAt() <= revokedAll[patient].time) return Reason.Revoked;
        if (query.time < terms.notBefore()) return Reason.NotYetValid;
        if (query.time >= terms.notAfter()) return Reason.Expired;
        if (terms.purposes() & query.purpose == 0) return Reason.PurposeNotGranted;
        if (terms.actions() & query.action == 0) return Reason.ActionNotGranted;
        return Reason.Permitted;
    }

    function _entry(
        address patient,
        Resource resource,
        Grantee grantee
    ) private view returns (Entry storage) {
        return _grants[keccak256(abi.encode(patient, resource, grantee))];
    }

    function _isWellFormed(Query calldata query) private pure returns (bool) {
        return
            (query.custodian | query.patient | query.reader) <= type(uint160).max &&
            _isOneBit(query.purpose) &&
            query.purpose <= type(uint32).max &&
            _isOneBit(query.action) &&
            query.action <= type(uint16).max;
    }

    function _isOneBit(uint256 mask) private pure returns (bool) {
        unchecked {
            return mask != 0 && mask & (mask - 1) == 0;
        }
    }
}
