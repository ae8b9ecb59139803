// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Terms} from "../types/Terms.sol";

/// @notice Names one exam: `H(EXAM, custodian, patient, commitment)`. It is also the resource that covers the whole exam.
type ExamId is bytes32;

/// @notice What a grant covers: an exam id, a series of an exam, all of a patient's exams at one custodian, or all of a
/// patient's exams. `Ids` computes each.
type Resource is bytes32;

/// @notice Who a grant is for: an address, left-padded with zeros, or a blinded one, `H(GRANTEE, address, salt)`.
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
/// bit 255  248 247      200 199       160 159                0
///     +-------+------------+-------------+--------------------+
///     |retired| version 48 | ownedSince40|     owner 160      |
///     +-------+------------+-------------+--------------------+
///     |                   manifestRoot 256                    |
///     +-------------------------------------------------------+
/// ```
///
/// The custodian is not stored: it is part of the id, and whoever names it proves it by recomputing the id.
struct Pointer {
    /// @notice The patient who owns the exam; zero if the id was never stored.
    address owner;
    /// @notice When the exam was last handed over, in seconds since 1970-01-01 UTC; zero if it never was.
    uint40 ownedSince;
    /// @notice 1 at registration, one more at each amendment.
    uint48 version;
    /// @notice True for good once the custodian has retired the id, registered or not.
    bool retired;
    /// @notice Root of the salted Merkle tree over the exam's frames.
    bytes32 manifestRoot;
}

/// @notice What proves that a pointer is in a batch.
struct Membership {
    /// @notice Root of the batch, as its custodian registered it.
    bytes32 batchRoot;
    /// @notice The manifest's root that the batch commits for the exam.
    bytes32 manifestRoot;
    /// @notice The siblings from the leaf `H(POINTER, examId, manifestRoot)` up; each pair is hashed in order of value.
    bytes32[] proof;
}

/// @notice The state of the one slot that belongs to a patient, a resource and a grantee.
struct Grant {
    /// @notice Zero once revoked.
    Terms terms;
    /// @notice When the terms were granted, in seconds since 1970-01-01 UTC; zero once revoked.
    uint40 grantedAt;
    /// @notice Whether the last act was a revoke. `revokeAll` does not set it.
    bool revoked;
    /// @notice How often the slot was written: the nonce that the next signature for it must name.
    uint80 nonce;
}

/// @notice What belongs to a patient as a whole.
struct Patient {
    /// @notice When the patient last revoked all, in seconds since 1970-01-01 UTC; zero for never.
    uint40 revokedAllAt;
    /// @notice One more at each `revokeAll`, and whenever an exam leaves the patient: it ends what was signed before.
    uint88 epoch;
    /// @notice How often the patient revoked all: the nonce that the next signature for it must name.
    uint64 revocations;
}

/// @notice Who acts for a patient, in one slot.
struct Guardian {
    /// @notice The first second at which they no longer do, in seconds since 1970-01-01 UTC.
    uint40 until;
    /// @notice When they were named; dead if that is not after the patient's last `revokeAll`.
    uint40 namedAt;
    /// @notice How often the slot was written: the nonce that the next signature for it must name.
    uint80 nonce;
}

/// @notice To whom an exam is offered, in one slot.
struct Offer {
    /// @notice Zero for nobody.
    address to;
    /// @notice When it was offered; dead if that is not after the owner's last `revokeAll`.
    uint40 offeredAt;
    /// @notice How often the slot was written: the nonce that the next signature for it must name.
    uint56 nonce;
}

/// @notice A patient's signature over one act, and how long it may be used.
struct Authorization {
    /// @notice Whose act it is: an EOA, delegated (EIP-7702) or not, or a contract that answers ERC-1271.
    address patient;
    /// @notice The first second at which the signature is dead, in seconds since 1970-01-01 UTC.
    uint256 deadline;
    /// @notice Over the EIP-712 digest of the act; 65 bytes `r || s || v` of an EOA, or whatever the contract takes.
    bytes signature;
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
    /// @notice What blinds the reader's address in the grantee that is asked for, or zero for the address itself.
    bytes32 granteeSalt;
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
/// - Only a patient, by transaction or signature, and the guardians they named write the grants that count for their
///   exams: every grant is kept under its patient.
/// - One act of the patient is one slot. Granting again replaces; two grants never add up.
/// - No signature works twice, after its deadline, or after the slot it is for, or its patient's epoch, has moved on; a
///   signed `RevokeAll` is bound to the count of those before it, and outlives the loss of an exam.
/// - `check` never reverts, and permits only on one grant that is live and satisfies period, purpose and action.
///
/// Assumptions:
/// - Commitments are salted with 32 random bytes kept off chain: the ledger cannot tell a blinded one from a plain one.
/// - Anyone may register under their own address. Whether a custodian is to be believed is the reader's question, which
///   `ICustodianRegistry` answers.
/// - Whoever holds a patient's key is the patient. There is no recovery here: the custodian retires the pointer, and
///   registers another for the address that it newly enrolled.
///
/// Administration: none. No owner, no proxy, no ether; nobody can stop or change it.
///
/// State machine of an id: unknown -> in a batch -> registered -> retired; a batch may be skipped, and an id may be retired
/// before it is registered. Of an owner: the patient named at registration, then whoever accepts what the owner offers.
/// Of a grant: empty -> granted or revoked, then between these two for ever.
interface IConsentLedger {
    /// @notice The id was registered before.
    error ConsentLedgerExamRegistered(ExamId examId);
    /// @notice The id was never registered.
    error ConsentLedgerExamUnknown(ExamId examId);
    /// @notice The id is retired, for good.
    error ConsentLedgerExamRetired(ExamId examId);
    /// @notice The batch was registered before.
    error ConsentLedgerBatchRegistered(address custodian, bytes32 batchRoot);
    /// @notice The custodian registered no such batch, or the proof does not lead from the pointer to its root.
    error ConsentLedgerNotInBatch(ExamId examId, bytes32 batchRoot);
    /// @notice The sender is neither the custodian nor one of its operators.
    error ConsentLedgerNotOperator(address custodian, address sender);
    /// @notice The sender is neither the patient nor one of their guardians now.
    error ConsentLedgerNotGuardian(address patient, address sender);
    /// @notice Only the owner of an exam may hand it over.
    error ConsentLedgerNotOwner(ExamId examId, address from);
    /// @notice The exam is not, or no longer, offered to them.
    error ConsentLedgerNotOffered(ExamId examId, address receiver);
    /// @notice An exam needs a patient.
    error ConsentLedgerZeroPatient();
    /// @notice A grant needs a grantee.
    error ConsentLedgerZeroGrantee();
    /// @notice A guardian needs an address.
    error ConsentLedgerZeroGuardian();
    /// @notice A batch needs at least one element.
    error ConsentLedgerEmptyBatch();
    /// @notice The period covers no second.
    error ConsentLedgerEmptyPeriod(uint256 notBefore, uint256 notAfter);
    /// @notice The terms name no purpose.
    error ConsentLedgerZeroPurposes();
    /// @notice The terms name no action.
    error ConsentLedgerZeroActions();
    /// @notice The terms have bits above their fields.
    error ConsentLedgerUnknownTerms(Terms terms);
    /// @notice The signature is past its deadline. Sign anew.
    error ConsentLedgerSignatureExpired(uint256 deadline);
    /// @notice The patient has revoked all, or an exam has left them, since they signed. Sign anew.
    error ConsentLedgerEpochPassed(uint256 signed, uint256 current);
    /// @notice What was signed is done and changed since, was overtaken by another act, or comes too early. Sign anew.
    error ConsentLedgerNonceMismatch(uint256 signed, uint256 current);
    /// @notice A batch needs one nonce for each resource.
    error ConsentLedgerNonceCount(uint256 resources, uint256 nonces);
    /// @notice Not the patient's signature over this act, on this chain, for this ledger.
    error ConsentLedgerInvalidSignature(address patient);

    /// @notice A custodian named an operator, or took the name away.
    event OperatorSet(address indexed custodian, address indexed operator, bool named);

    /// @notice An exam was registered, as version 1: by itself, or claimed from a batch.
    event ExamRegistered(
        ExamId indexed examId,
        address indexed custodian,
        address indexed patient,
        bytes32 commitment,
        bytes32 manifestRoot
    );

    /// @notice A custodian committed `count` pointers at once.
    event BatchRegistered(address indexed custodian, bytes32 indexed batchRoot, uint256 count);

    /// @notice An exam's manifest was replaced. Older roots are those of the older events.
    event ExamAmended(
        ExamId indexed examId,
        address indexed custodian,
        uint256 version,
        bytes32 manifestRoot
    );

    /// @notice An exam was retired, for good.
    event ExamRetired(ExamId indexed examId, address indexed custodian);

    /// @notice An owner offered an exam; `to` is zero where they withdrew an offer.
    event ExamOffered(ExamId indexed examId, address indexed from, address indexed to);

    /// @notice An exam has a new owner, who accepted it. What `from` granted on it, or on its series, is dead for good.
    event ExamHandedOver(ExamId indexed examId, address indexed from, address indexed to);

    /// @notice A patient granted; whatever the slot held before is replaced. A slot's nonce is the number of events about it.
    event Granted(address indexed patient, Resource indexed resource, Grantee indexed grantee, Terms terms);

    /// @notice A patient granted several resources under the same terms: an event about the slot of each, in order.
    event GrantedBatch(address indexed patient, Grantee indexed grantee, Terms terms, Resource[] resources);

    /// @notice A patient revoked.
    event Revoked(address indexed patient, Resource indexed resource, Grantee indexed grantee);

    /// @notice A patient revoked several resources: an event about the slot of each, in order.
    event RevokedBatch(address indexed patient, Grantee indexed grantee, Resource[] resources);

    /// @notice A patient revoked every grant they had made until now, this second included.
    event RevokedAll(address indexed patient);

    /// @notice A patient said until when a guardian acts for them.
    event GuardianNamed(address indexed patient, address indexed guardian, uint256 until);

    /// @notice Names an operator of the sender, or takes the name away. Operators may register and amend for the sender;
    /// `IAccessLog` lets them anchor, and `IEmergencyAccess` open and close what a practitioner signed for.
    /// @dev Warning: an operator is trusted with every exam of the custodian. It should be a key used for this alone.
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

    /// @notice Commits any number of pointers in one slot. Sent by the custodian or one of its operators.
    /// @dev Warning: `count` is the custodian's word; nothing proves it. Lose a leaf, and its exam cannot be claimed. Commit an exam
    /// in two batches, and whoever claims it first chooses which manifest's root is stored.
    /// @param batchRoot Root of the Merkle tree over the leaves `H(POINTER, examId, manifestRoot)`.
    /// @param count How many leaves the tree has.
    function registerBatch(address custodian, bytes32 batchRoot, uint256 count) external;

    /// @notice Stores a pointer that a batch commits, as `register` would have. Anyone may send it, and nothing is decided
    /// otherwise by it than by `checkUnclaimed` before. It never overwrites what is stored, nor a tombstone.
    function claim(
        address custodian,
        address patient,
        bytes32 commitment,
        Membership calldata membership
    ) external returns (ExamId examId);

    /// @notice Replaces the manifest of a stored exam, as when series arrive late. Sent by the custodian or an operator.
    /// @dev Warning: what is granted on the exam covers what is added to it.
    function amend(address custodian, address patient, bytes32 commitment, bytes32 manifestRoot) external;

    /// @notice Retires an exam of the sender, the custodian, and leaves a tombstone: the id stays closed for good.
    /// @dev Warning: an id that was never registered can be retired too, so that it never will be. Check the commitment.
    function retire(address patient, bytes32 commitment) external;

    /// @notice Lets `grantee` read `resource` under `terms`, in place of whatever was granted to them on it before.
    /// @dev Warning: neither the resource nor the grantee is looked up. A grant may precede the registration of its exam,
    /// and a grant on a mistaken resource opens nothing and says nothing.
    function grant(Resource resource, Grantee grantee, Terms terms) external;

    /// @notice `grant`, for the patient who signed `Grant`. Replaying what still stands as it was signed changes nothing.
    /// @param nonce The slot's, before.
    /// @param epoch The patient's.
    function grantBySig(
        Resource resource,
        Grantee grantee,
        Terms terms,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external;

    /// @notice `grant` on several resources. Sent by the patient or one of their guardians. All or nothing.
    function grantBatch(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        Terms terms
    ) external;

    /// @notice `grantBatch`, for the patient who signed `GrantBatch`. Replaying what still stands changes nothing.
    /// @param nonces Those of the slots, before, in the order of `resources`.
    function grantBatchBySig(
        Resource[] calldata resources,
        Grantee grantee,
        Terms terms,
        uint256[] calldata nonces,
        uint256 epoch,
        Authorization calldata by
    ) external;

    /// @notice Ends what `grantee` was granted on `resource`, at once. Revoking what was never granted counts too: it keeps
    /// a series out of a grant for its exam, or an exam out of a wider one.
    /// @dev Warning: revoking a resource leaves grants on narrower ones, and under another name of the grantee, as they are.
    /// A signed grant that nobody has sent is ended by it too; one that is sent first makes a signed revoke of the same nonce
    /// fail, so end such a grant by a transaction, or by a signed `RevokeAll`.
    function revoke(Resource resource, Grantee grantee) external;

    /// @notice `revoke`, for the patient who signed `Revoke`. Replaying what still stands changes nothing.
    function revokeBySig(
        Resource resource,
        Grantee grantee,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external;

    /// @notice `revoke` on several resources. Sent by the patient or one of their guardians. All or nothing.
    function revokeBatch(address patient, Resource[] calldata resources, Grantee grantee) external;

    /// @notice `revokeBatch`, for the patient who signed `RevokeBatch`. Replaying what still stands changes nothing.
    function revokeBatchBySig(
        Resource[] calldata resources,
        Grantee grantee,
        uint256[] calldata nonces,
        uint256 epoch,
        Authorization calldata by
    ) external;

    /// @notice Ends, at once and whatever their number, every grant and open offer of `patient`, every signature they made
    /// before, and the naming of every guardian. Sent by the patient or one of their guardians. What is granted later in
    /// the same second is dead too; what is granted from the next second on counts as ever.
    function revokeAll(address patient) external;

    /// @notice `revokeAll`, for the patient who signed `RevokeAll`. Replaying the last one changes nothing in its own second, while
    /// nothing can have been granted since, and is refused later.
    /// @dev Bound to no epoch, so that nobody who takes over an exam can hinder it.
    /// @param nonce The patient's `revocations`, before.
    function revokeAllBySig(uint256 nonce, Authorization calldata by) external;

    /// @notice Lets `guardian` grant, revoke and revoke all for the sender before `until`. A date that has passed ends it.
    /// @dev Warning: a guardian may do all that until then. `revokeAll` removes every guardian, its sender included.
    function nameGuardian(address guardian, uint40 until) external;

    /// @notice `nameGuardian`, for the patient who signed `NameGuardian`. Replaying what still stands changes nothing.
    function nameGuardianBySig(
        address guardian,
        uint40 until,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external;

    /// @notice Offers an exam of the sender to `to`, in place of any offer before; `to` zero withdraws it.
    /// @dev Warning: whoever accepts decides alone from then on. Only a stored exam can be handed over: `claim` it first.
    function handOver(ExamId examId, address to) external;

    /// @notice `handOver`, for the owner who signed `HandOver`. Replaying what still stands changes nothing.
    function handOverBySig(
        ExamId examId,
        address to,
        uint256 nonce,
        uint256 epoch,
        Authorization calldata by
    ) external;

    /// @notice Makes the sender, to whom the exam is offered, its owner. The former owner's grants on it and on its series
    /// are dead for good, and so is whatever the former owner signed and nobody sent.
    /// @dev Warning: what the new owner granted on it until now, this second included, is dead too. Of what the former owner
    /// signed, only a `RevokeAll` survives: a revoke that nobody sent must be signed anew.
    function accept(ExamId examId) external;

    /// @notice `accept`, for the receiver who signed `Accept`. Replaying what still stands changes nothing.
    function acceptBySig(ExamId examId, uint256 nonce, uint256 epoch, Authorization calldata by) external;

    /// @notice Decides whether a reader may act on an exam or a series. Never reverts for any well-encoded input: any nine words.
    ///
    /// A query with dirty addresses, or not exactly one purpose and one action, is malformed. The owner of an exam that
    /// is not retired is always permitted. Anybody else needs one grant that alone satisfies period, purpose and action.
    /// Slots are judged from the narrowest to the widest: the series asked for, the exam, all exams at the custodian, all
    /// exams. The first permit stands. A slot that was revoked ends the search: nothing wider opens what it closed. A
    /// grant that is dead by `revokeAll`, or by a hand-over, does not. Where nothing permits, the reason is that of the
    /// narrowest slot on which anything was ever granted or revoked.
    ///
    /// @dev Warning: a permit is for `query.time`. Asked with a time of the caller's choosing, it is no proof for another.
    /// A reader known by an address and by blinded names is asked for under one name at a time.
    /// @return reason Why.
    /// @return validUntil With a permit, when it ends by itself: the grant's `notAfter`, or the greatest word for the
    /// owner. Zero with a denial.
    function check(Query calldata query) external view returns (Reason reason, uint256 validUntil);

    /// @notice `check`, also for a pointer that is still only in a batch: the answer is what it would be after `claim`. What
    /// is stored, a tombstone included, is judged as stored. An exam in no such batch is unknown.
    /// @dev Never reverts for any well-encoded input.
    function checkUnclaimed(
        Query calldata query,
        Membership calldata membership
    ) external view returns (Reason reason, uint256 validUntil);

    /// @notice Whether `custodian` has named `operator`.
    function isOperator(address custodian, address operator) external view returns (bool);

    /// @notice How many pointers a batch commits, as its custodian said; zero if it is not registered.
    function batchOf(address custodian, bytes32 batchRoot) external view returns (uint256 count);

    /// @notice What is kept of an exam.
    function pointerOf(ExamId examId) external view returns (Pointer memory);

    /// @notice To whom an exam is offered.
    /// @dev Warning: a `revokeAll` of its owner ends an offer, and leaves it as it reads here.
    function offerOf(ExamId examId) external view returns (Offer memory);

    /// @notice The slot of a patient, a resource and a grantee.
    /// @dev Warning: not a decision. `revokeAll`, retirement, period, purpose and action are weighed by `check` alone.
    function grantOf(
        address patient,
        Resource resource,
        Grantee grantee
    ) external view returns (Grant memory);

    /// @notice What belongs to a patient as a whole.
    function patientOf(address patient) external view returns (Patient memory);

    /// @notice What is kept of a guardian. A `revokeAll` ends it, and leaves it as it reads here: see `isGuardian`.
    function guardianOf(address patient, address guardian) external view returns (Guardian memory);

    /// @notice Whether `guardian` may act for `patient` in this block.
    function isGuardian(address patient, address guardian) external view returns (bool);
}
