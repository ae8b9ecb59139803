// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {
    Authorization,
    ExamId,
    Grant,
    Grantee,
    Guardian,
    IConsentLedger,
    Membership,
    Offer,
    Patient,
    Pointer,
    Query,
    Reason,
    Resource
} from "./interfaces/IConsentLedger.sol";
import {Ids} from "./libraries/Ids.sol";
import {Judgement} from "./libraries/Judgement.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {GrantSlot, GrantSlotLib} from "./types/GrantSlot.sol";
import {PatientSlot} from "./types/PatientSlot.sol";
import {Terms} from "./types/Terms.sol";

/// @title ConsentLedger
/// @notice Pointers to imaging exams, and patients' grants on them. All of it is documented in `IConsentLedger`.
contract ConsentLedger is IConsentLedger, EIP712 {
    using Judgement for Query;
    using Judgement for GrantSlot;
    using Signatures for bytes;

    /// @dev The slot by reference, so that reading and writing it hash its key once.
    struct Entry {
        GrantSlot slot;
    }

    /// @inheritdoc IConsentLedger
    mapping(address custodian => mapping(address operator => bool)) public isOperator;

    /// @inheritdoc IConsentLedger
    mapping(address custodian => mapping(bytes32 batchRoot => uint256 count)) public batchOf;

    mapping(ExamId => Pointer) private _pointers;

    mapping(ExamId => Offer) private _offers;

    mapping(address patient => PatientSlot) private _patients;

    mapping(address patient => mapping(address guardian => Guardian)) private _guardians;

    /// @notice The ledger's EIP-712 domain is `ExamKey`, version 1; ERC-5267 tells it to wallets.
    constructor() EIP712("ExamKey", "1") {}

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
    ) external returns (ExamId) {
        _requireOperator(custodian);
        return _store(custodian, patient, commitment, manifestRoot);
    }

    /// @inheritdoc IConsentLedger
    function registerBatch(address custodian, bytes32 batchRoot, uint256 count) external {
        _requireOperator(custodian);
        if (count == 0) revert ConsentLedgerEmptyBatch();
        if (batchOf[custodian][batchRoot] != 0) revert ConsentLedgerBatchRegistered(custodian, batchRoot);
        batchOf[custodian][batchRoot] = count;
        emit BatchRegistered(custodian, batchRoot, count);
    }

    /// @inheritdoc IConsentLedger
    function claim(
        address custodian,
        address patient,
        bytes32 commitment,
        Membership calldata membership
    ) external returns (ExamId examId) {
        examId = Ids.exam(custodian, patient, commitment);
        if (!_isMember(custodian, examId, membership)) {
            revert ConsentLedgerNotInBatch(examId, membership.batchRoot);
        }
        return _store(custodian, patient, commitment, membership.manifestRoot);
    }

    /// @inheritdoc IConsentLedger
    function amend(address custodian, address patient, bytes32 commitment, bytes32 manifestRoot) external {
        _requireOperator(custodian);
        ExamId examId = Ids.exam(custodian, patient, commitment);
        Pointer storage pointer = _live(examId);
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

    // Patients: grants

    /// @inheritdoc IConsentLedger
    function grant(Resource resource, Grantee grantee, Terms terms) external {
        _grant(msg.sender, resource, grantee, terms);
    }

    /// @inheritdoc IConsentLedger
    function grantBySig(
        Resource resource,
        Grantee grantee,
        Terms terms,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external {
        _requireSigned(
            by,
            epoch,
            TypedData.grant(by.patient, resource, grantee, terms, nonce, epoch, by.deadline)
        );
        GrantSlot slot = _entry(by.patient, resource, grantee).slot;
        bool stands = slot.holds(GrantSlotLib.granting(terms, 0)) && _isAlive(by.patient, slot.grantedAt());
        if (_isNext(nonce, slot.nonce(), stands)) _grant(by.patient, resource, grantee, terms);
    }

    /// @inheritdoc IConsentLedger
    function grantBatch(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        Terms terms
    ) external {
        _requireGuardian(patient);
        _grantBatch(patient, resources, grantee, terms);
    }

    /// @inheritdoc IConsentLedger
    function grantBatchBySig(
        Resource[] calldata resources,
        Grantee grantee,
        Terms terms,
        uint256[] calldata nonces,
        uint256 epoch,
        Authorization calldata by
    ) external {
        _requireSigned(
            by,
            epoch,
            TypedData.grantBatch(by.patient, resources, grantee, terms, nonces, epoch, by.deadline)
        );
        GrantSlot act = GrantSlotLib.granting(terms, 0);
        if (_areNext(by.patient, resources, grantee, act, nonces)) {
            _grantBatch(by.patient, resources, grantee, terms);
        }
    }

    /// @inheritdoc IConsentLedger
    function revoke(Resource resource, Grantee grantee) external {
        _revoke(msg.sender, resource, grantee);
    }

    /// @inheritdoc IConsentLedger
    function revokeBySig(
        Resource resource,
        Grantee grantee,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external {
        _requireSigned(by, epoch, TypedData.revoke(by.patient, resource, grantee, nonce, epoch, by.deadline));
        GrantSlot slot = _entry(by.patient, resource, grantee).slot;
        if (_isNext(nonce, slot.nonce(), slot.isRevoked())) _revoke(by.patient, resource, grantee);
    }

    /// @inheritdoc IConsentLedger
    function revokeBatch(address patient, Resource[] calldata resources, Grantee grantee) external {
        _requireGuardian(patient);
        _revokeBatch(patient, resources, grantee);
    }

    /// @inheritdoc IConsentLedger
    function revokeBatchBySig(
        Resource[] calldata resources,
        Grantee grantee,
        uint256[] calldata nonces,
        uint256 epoch,
        Authorization calldata by
    ) external {
        _requireSigned(
            by,
            epoch,
            TypedData.revokeBatch(by.patient, resources, grantee, nonces, epoch, by.deadline)
        );
        if (_areNext(by.patient, resources, grantee, GrantSlotLib.revoking(), nonces)) {
            _revokeBatch(by.patient, resources, grantee);
        }
    }

    /// @inheritdoc IConsentLedger
    function revokeAll(address patient) external {
        _requireGuardian(patient);
        _revokeAll(patient);
    }

    /// @inheritdoc IConsentLedger
    function revokeAllBySig(uint256 nonce, Authorization calldata by) external {
        _requireSigned(by, TypedData.revokeAll(by.patient, nonce, by.deadline));
        PatientSlot slot = _patients[by.patient];
        bool stands = slot.revokedAllAt() == block.timestamp;
        if (_isNext(nonce, slot.revocations(), stands)) _revokeAll(by.patient);
    }

    // Patients: guardians and ownership

    /// @inheritdoc IConsentLedger
    function nameGuardian(address guardian, uint40 until) external {
        _nameGuardian(msg.sender, guardian, until);
    }

    /// @inheritdoc IConsentLedger
    function nameGuardianBySig(
        address guardian,
        uint40 until,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external {
        _requireSigned(
            by,
            epoch,
            TypedData.nameGuardian(by.patient, guardian, until, nonce, epoch, by.deadline)
        );
        Guardian storage kept = _guardians[by.patient][guardian];
        bool stands = kept.until == until && _isAlive(by.patient, kept.namedAt);
        if (_isNext(nonce, kept.nonce, stands)) _nameGuardian(by.patient, guardian, until);
    }

    /// @inheritdoc IConsentLedger
    function handOver(ExamId examId, address to) external {
        _handOver(msg.sender, examId, to);
    }

    /// @inheritdoc IConsentLedger
    function handOverBySig(
        ExamId examId,
        address to,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external {
        _requireSigned(by, epoch, TypedData.handOver(by.patient, examId, to, nonce, epoch, by.deadline));
        Offer storage offer = _offers[examId];
        bool offered = offer.to == to && _pointers[examId].owner == by.patient;
        bool stands = offered && _isAlive(by.patient, offer.offeredAt);
        if (_isNext(nonce, offer.nonce, stands)) _handOver(by.patient, examId, to);
    }

    /// @inheritdoc IConsentLedger
    function accept(ExamId examId) external {
        _accept(msg.sender, examId);
    }

    /// @inheritdoc IConsentLedger
    function acceptBySig(ExamId examId, uint256 nonce, uint256 epoch, Authorization calldata by) external {
        _requireSigned(by, epoch, TypedData.accept(by.patient, examId, nonce, epoch, by.deadline));
        bool stands = _pointers[examId].owner == by.patient;
        if (_isNext(nonce, _offers[examId].nonce, stands)) _accept(by.patient, examId);
    }

    // Readers

    /// @inheritdoc IConsentLedger
    function check(Query calldata query) external view returns (Reason, uint256) {
        if (!query.isWellFormed()) return (Reason.MalformedQuery, 0);
        ExamId examId = query.examOf();
        return _decide(query, examId, _pointers[examId].owner);
    }

    /// @inheritdoc IConsentLedger
    function checkUnclaimed(
        Query calldata query,
        Membership calldata membership
    ) external view returns (Reason, uint256) {
        if (!query.isWellFormed()) return (Reason.MalformedQuery, 0);
        ExamId examId = query.examOf();
        address owner = _pointers[examId].owner;
        if (owner == address(0) && _isMember(address(uint160(query.custodian)), examId, membership)) {
            owner = address(uint160(query.patient));
        }
        return _decide(query, examId, owner);
    }

    /// @inheritdoc IConsentLedger
    function pointerOf(ExamId examId) external view returns (Pointer memory) {
        return _pointers[examId];
    }

    /// @inheritdoc IConsentLedger
    function offerOf(ExamId examId) external view returns (Offer memory) {
        return _offers[examId];
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

    /// @inheritdoc IConsentLedger
    function patientOf(address patient) external view returns (Patient memory) {
        PatientSlot slot = _patients[patient];
        return Patient(slot.revokedAllAt(), slot.epoch(), slot.revocations());
    }

    /// @inheritdoc IConsentLedger
    function guardianOf(address patient, address guardian) external view returns (Guardian memory) {
        return _guardians[patient][guardian];
    }

    /// @inheritdoc IConsentLedger
    function isGuardian(address patient, address guardian) public view returns (bool) {
        Guardian storage kept = _guardians[patient][guardian];
        return kept.until > block.timestamp && _isAlive(patient, kept.namedAt);
    }

    // The acts, whoever sends them

    /// @dev Stores a pointer as version 1, unless its id was stored or retired before.
    function _store(
        address custodian,
        address patient,
        bytes32 commitment,
        bytes32 manifestRoot
    ) private returns (ExamId examId) {
        if (patient == address(0)) revert ConsentLedgerZeroPatient();
        examId = Ids.exam(custodian, patient, commitment);
        Pointer storage pointer = _pointers[examId];
        if (pointer.retired) revert ConsentLedgerExamRetired(examId);
        if (pointer.owner != address(0)) revert ConsentLedgerExamRegistered(examId);
        (pointer.owner, pointer.version, pointer.manifestRoot) = (patient, 1, manifestRoot);
        emit ExamRegistered(examId, custodian, patient, commitment, manifestRoot);
    }

    function _grant(address patient, Resource resource, Grantee grantee, Terms terms) private {
        _requireGrantable(grantee, terms);
        _write(patient, resource, grantee, GrantSlotLib.granting(terms, block.timestamp));
        emit Granted(patient, resource, grantee, terms);
    }

    function _grantBatch(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        Terms terms
    ) private {
        _requireGrantable(grantee, terms);
        _writeBatch(patient, resources, grantee, GrantSlotLib.granting(terms, block.timestamp));
        emit GrantedBatch(patient, grantee, terms, resources);
    }

    function _revoke(address patient, Resource resource, Grantee grantee) private {
        _write(patient, resource, grantee, GrantSlotLib.revoking());
        emit Revoked(patient, resource, grantee);
    }

    function _revokeBatch(address patient, Resource[] calldata resources, Grantee grantee) private {
        _writeBatch(patient, resources, grantee, GrantSlotLib.revoking());
        emit RevokedBatch(patient, grantee, resources);
    }

    function _revokeAll(address patient) private {
        _patients[patient] = _patients[patient].afterRevokeAll(block.timestamp);
        emit RevokedAll(patient);
    }

    function _nameGuardian(address patient, address guardian, uint40 until) private {
        if (guardian == address(0)) revert ConsentLedgerZeroGuardian();
        Guardian storage kept = _guardians[patient][guardian];
        (kept.until, kept.namedAt, kept.nonce) = (until, uint40(block.timestamp), kept.nonce + 1);
        emit GuardianNamed(patient, guardian, until);
    }

    function _handOver(address from, ExamId examId, address to) private {
        if (_live(examId).owner != from) revert ConsentLedgerNotOwner(examId, from);
        Offer storage offer = _offers[examId];
        (offer.to, offer.offeredAt, offer.nonce) = (to, uint40(block.timestamp), offer.nonce + 1);
        emit ExamOffered(examId, from, to);
    }

    /// @dev The former owner's epoch moves on: what they signed and nobody sent must not open the exam if it comes back.
    function _accept(address to, ExamId examId) private {
        Pointer storage pointer = _live(examId);
        Offer storage offer = _offers[examId];
        address from = pointer.owner;
        if (offer.to != to || !_isAlive(from, offer.offeredAt)) revert ConsentLedgerNotOffered(examId, to);
        (pointer.owner, pointer.ownedSince) = (to, uint40(block.timestamp));
        (offer.to, offer.offeredAt, offer.nonce) = (address(0), 0, offer.nonce + 1);
        _patients[from] = _patients[from].afterDeparture();
        emit ExamHandedOver(examId, from, to);
    }

    function _write(address patient, Resource resource, Grantee grantee, GrantSlot act) private {
        Entry storage entry = _entry(patient, resource, grantee);
        entry.slot = entry.slot.then(act);
    }

    function _writeBatch(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        GrantSlot act
    ) private {
        if (resources.length == 0) revert ConsentLedgerEmptyBatch();
        for (uint256 i = 0; i < resources.length; ++i) _write(patient, resources[i], grantee, act);
    }

    // Who may act

    function _requireOperator(address custodian) private view {
        if (msg.sender != custodian && !isOperator[custodian][msg.sender]) {
            revert ConsentLedgerNotOperator(custodian, msg.sender);
        }
    }

    function _requireGuardian(address patient) private view {
        if (msg.sender != patient && !isGuardian(patient, msg.sender)) {
            revert ConsentLedgerNotGuardian(patient, msg.sender);
        }
    }

    function _requireSigned(Authorization calldata by, uint256 epoch, bytes32 structHash) private view {
        uint256 current = _patients[by.patient].epoch();
        if (epoch != current) revert ConsentLedgerEpochPassed(epoch, current);
        _requireSigned(by, structHash);
    }

    function _requireSigned(Authorization calldata by, bytes32 structHash) private view {
        if (block.timestamp >= by.deadline) revert ConsentLedgerSignatureExpired(by.deadline);
        if (!by.signature.isFrom(by.patient, _hashTypedDataV4(structHash))) {
            revert ConsentLedgerInvalidSignature(by.patient);
        }
    }

    /// @dev Whether a signed act is to be done now; false where it was just done and still stands.
    function _isNext(uint256 signed, uint256 current, bool stands) private pure returns (bool) {
        if (signed == current) return true;
        if (stands && current != 0 && signed == current - 1) return false;
        revert ConsentLedgerNonceMismatch(signed, current);
    }

    /// @dev `_isNext` for every slot of a batch; slots that do not agree mean that one of them has moved on. An empty batch
    /// is next, to be refused like any other.
    function _areNext(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        GrantSlot act,
        uint256[] calldata nonces
    ) private view returns (bool all) {
        if (nonces.length != resources.length) {
            revert ConsentLedgerNonceCount(resources.length, nonces.length);
        }
        all = true;
        for (uint256 i = 0; i < resources.length; ++i) {
            GrantSlot slot = _entry(patient, resources[i], grantee).slot;
            bool stands = slot.holds(act) && (slot.isRevoked() || _isAlive(patient, slot.grantedAt()));
            bool next = _isNext(nonces[i], slot.nonce(), stands);
            if (i == 0) all = next;
            else if (next != all) revert ConsentLedgerNonceMismatch(nonces[i], slot.nonce());
        }
    }

    function _requireGrantable(Grantee grantee, Terms terms) private pure {
        if (Grantee.unwrap(grantee) == 0) revert ConsentLedgerZeroGrantee();
        terms.requireWellFormed();
    }

    // What is kept, and what follows from it

    /// @dev A stored pointer that is not retired.
    function _live(ExamId examId) private view returns (Pointer storage pointer) {
        pointer = _pointers[examId];
        if (pointer.retired) revert ConsentLedgerExamRetired(examId);
        if (pointer.owner == address(0)) revert ConsentLedgerExamUnknown(examId);
    }

    /// @dev Whether what a patient did then has outlived their last revokeAll.
    function _isAlive(address patient, uint256 time) private view returns (bool) {
        return time > _patients[patient].revokedAllAt();
    }

    /// @dev At the hash of three words, where no mapping of Solidity's can reach: those hash two.
    function _entry(
        address patient,
        Resource resource,
        Grantee grantee
    ) private pure returns (Entry storage entry) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let key := mload(0x40)
            mstore(key, patient)
            mstore(add(key, 0x20), resource)
            mstore(add(key, 0x40), grantee)
            entry.slot := keccak256(key, 0x60)
        }
    }

    function _isMember(
        address custodian,
        ExamId examId,
        Membership calldata membership
    ) private view returns (bool) {
        bytes32 leaf = Ids.pointer(examId, membership.manifestRoot);
        return
            batchOf[custodian][membership.batchRoot] != 0 &&
            MerkleProof.verifyCalldata(membership.proof, membership.batchRoot, leaf, Ids.node);
    }

    /// @dev Walks from the narrowest slot to the widest. A hand-over ends what was granted on the exam and its series.
    function _decide(
        Query calldata query,
        ExamId examId,
        address owner
    ) private view returns (Reason reason, uint256 validUntil) {
        if (_pointers[examId].retired) return (Reason.RetiredExam, 0);
        if (owner == address(0)) return (Reason.UnknownExam, 0);
        if (query.reader == uint160(owner)) return (Reason.Permitted, type(uint256).max);

        Grantee grantee = query.granteeOf();
        (Resource[4] memory resources, uint256 i) = query.resourcesOf(examId);
        uint256 wideDeadSince = _patients[owner].revokedAllAt();
        uint256 examDeadSince = Math.max(wideDeadSince, _pointers[examId].ownedSince);
        reason = Reason.NotGranted;
        for (; i < resources.length; ++i) {
            GrantSlot slot = _entry(owner, resources[i], grantee).slot;
            Reason judged = slot.judge(i < 2 ? examDeadSince : wideDeadSince, query);
            if (judged == Reason.Permitted) return (judged, slot.terms().notAfter());
            if (reason == Reason.NotGranted) reason = judged;
            if (slot.isRevoked()) break;
        }
    }
}
