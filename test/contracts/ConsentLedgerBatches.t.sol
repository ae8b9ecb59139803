// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    ExamId,
    IConsentLedger,
    Membership,
    Pointer,
    Query,
    Reason
} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerBatchesTest
/// @notice Pointers that are committed many at once, and stored when they are first needed.
contract ConsentLedgerBatchesTest is LedgerTest {
    bytes32 private constant FIRST = keccak256("first");
    bytes32 private constant SECOND = keccak256("second");
    bytes32 private constant THIRD = keccak256("third");

    bytes32 private _batchRoot;

    /// @dev A batch of three: a tree whose third leaf rises to the second level by itself.
    function setUp() public override {
        super.setUp();
        _batchRoot = Ids.node(Ids.node(_leaf(FIRST), _leaf(SECOND)), _leaf(THIRD));
        VM.prank(CUSTODIAN);
        ledger.registerBatch(CUSTODIAN, _batchRoot, 3);
    }

    function test_RegisterBatch_IsKeptWithItsCount() external {
        bytes32 other = keccak256("other batch");
        VM.prank(CUSTODIAN);
        ledger.setOperator(OPERATOR, true);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.BatchRegistered(CUSTODIAN, other, 1);
        VM.prank(OPERATOR);
        ledger.registerBatch(CUSTODIAN, other, 1);
        _equal(ledger.batchOf(CUSTODIAN, other), 1);
        _equal(ledger.batchOf(CUSTODIAN, _batchRoot), 3);
        _equal(ledger.batchOf(STRANGER, _batchRoot), 0);
    }

    function test_RevertWhen_RegisterBatchByAStranger() external {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotOperator.selector, CUSTODIAN, STRANGER)
        );
        VM.prank(STRANGER);
        ledger.registerBatch(CUSTODIAN, keccak256("other batch"), 1);
    }

    function test_RevertWhen_RegisterBatchOfNothing() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerEmptyBatch.selector));
        VM.prank(CUSTODIAN);
        ledger.registerBatch(CUSTODIAN, keccak256("other batch"), 0);
    }

    function test_RevertWhen_RegisterBatchTwice() external {
        VM.expectRevert(
            abi.encodeWithSelector(
                IConsentLedger.ConsentLedgerBatchRegistered.selector,
                CUSTODIAN,
                _batchRoot
            )
        );
        VM.prank(CUSTODIAN);
        ledger.registerBatch(CUSTODIAN, _batchRoot, 4);
    }

    function test_Claim_StoresWhatTheBatchCommits_WhoeverSendsIt() external {
        ExamId id = _id(FIRST);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamRegistered(id, CUSTODIAN, PATIENT, FIRST, ROOT);
        VM.prank(STRANGER);
        ledger.claim(CUSTODIAN, PATIENT, FIRST, _proofOf(FIRST));

        Pointer memory pointer = ledger.pointerOf(id);
        _equal(pointer.owner, PATIENT);
        _equal(pointer.version, 1);
        _equal(pointer.ownedSince, 0);
        _equal(pointer.manifestRoot, ROOT);
        _true(!pointer.retired, "retired");
    }

    function test_Claim_OfEachLeaf() external {
        bytes32[3] memory commitments = [FIRST, SECOND, THIRD];
        for (uint256 i = 0; i < 3; ++i) {
            ExamId id = ledger.claim(CUSTODIAN, PATIENT, commitments[i], _proofOf(commitments[i]));
            _equal(ExamId.unwrap(id), ExamId.unwrap(_id(commitments[i])));
            _equal(ledger.pointerOf(id).owner, PATIENT);
        }
    }

    function test_RevertWhen_ClaimOfWhatTheBatchDoesNotCommit() external {
        Membership memory membership = _proofOf(FIRST);
        _expectNotInBatch(_id(keccak256("absent")), _batchRoot);
        ledger.claim(CUSTODIAN, PATIENT, keccak256("absent"), membership);

        _expectNotInBatch(Ids.exam(CUSTODIAN, STRANGER, FIRST), _batchRoot);
        ledger.claim(CUSTODIAN, STRANGER, FIRST, membership);

        _expectNotInBatch(Ids.exam(STRANGER, PATIENT, FIRST), _batchRoot);
        ledger.claim(STRANGER, PATIENT, FIRST, membership);

        membership.manifestRoot = keccak256("another root");
        _expectNotInBatch(_id(FIRST), _batchRoot);
        ledger.claim(CUSTODIAN, PATIENT, FIRST, membership);

        membership = _proofOf(SECOND);
        _expectNotInBatch(_id(THIRD), _batchRoot);
        ledger.claim(CUSTODIAN, PATIENT, THIRD, membership);
    }

    /// @notice A root that nobody registered proves nothing, also the leaf itself as a batch of one.
    function test_RevertWhen_ClaimFromABatchThatIsNotRegistered() external {
        Membership memory membership = Membership(_leaf(FIRST), ROOT, new bytes32[](0));
        _expectNotInBatch(_id(FIRST), membership.batchRoot);
        ledger.claim(CUSTODIAN, PATIENT, FIRST, membership);

        VM.prank(STRANGER);
        ledger.registerBatch(STRANGER, membership.batchRoot, 1);
        _expectNotInBatch(_id(FIRST), membership.batchRoot);
        ledger.claim(CUSTODIAN, PATIENT, FIRST, membership);
    }

    function test_RevertWhen_ClaimedTwice() external {
        ledger.claim(CUSTODIAN, PATIENT, FIRST, _proofOf(FIRST));
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRegistered.selector, _id(FIRST))
        );
        ledger.claim(CUSTODIAN, PATIENT, FIRST, _proofOf(FIRST));
    }

    function test_RevertWhen_ClaimOfWhatWasRegisteredByItself() external {
        _register(PATIENT, FIRST);
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRegistered.selector, _id(FIRST))
        );
        ledger.claim(CUSTODIAN, PATIENT, FIRST, _proofOf(FIRST));
    }

    function test_RevertWhen_ClaimOfWhatWasRetiredInTheBatch() external {
        _retire(FIRST);
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRetired.selector, _id(FIRST)));
        ledger.claim(CUSTODIAN, PATIENT, FIRST, _proofOf(FIRST));
    }

    function test_RevertWhen_ABatchCommitsAnExamOfNobody() external {
        bytes32 leaf = Ids.pointer(Ids.exam(CUSTODIAN, address(0), FIRST), ROOT);
        VM.prank(CUSTODIAN);
        ledger.registerBatch(CUSTODIAN, leaf, 1);
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerZeroPatient.selector));
        ledger.claim(CUSTODIAN, address(0), FIRST, Membership(leaf, ROOT, new bytes32[](0)));
    }

    function test_CheckUnclaimed_AnswersAsAfterTheClaim() external {
        _grant(Ids.whole(_id(FIRST)), _plain());
        _grant(Ids.series(_id(SECOND), SERIES), _plain());
        Query[5] memory queries = [_query(), _query(), _query(), _query(), _query()];
        queries[0].commitment = FIRST;
        (queries[1].commitment, queries[1].seriesCommitment) = (SECOND, SERIES);
        queries[2].commitment = THIRD;
        (queries[3].commitment, queries[3].time) = (FIRST, END);
        (queries[4].commitment, queries[4].reader) = (THIRD, uint160(PATIENT));
        for (uint256 i = 0; i < queries.length; ++i) {
            bytes32 commitment = queries[i].commitment;
            (Reason reason, uint256 validUntil) = ledger.checkUnclaimed(queries[i], _proofOf(commitment));
            _true(reason != Reason.UnknownExam, "proven");
            if (ledger.pointerOf(_id(commitment)).owner == address(0)) {
                _expect(queries[i], Reason.UnknownExam);
                ledger.claim(CUSTODIAN, PATIENT, commitment, _proofOf(commitment));
            }
            (Reason after_, uint256 validAfter) = ledger.check(queries[i]);
            _equal(uint256(reason), uint256(after_));
            _equal(validUntil, validAfter);
        }
    }

    function test_CheckUnclaimed_WithoutAProofIsUnknown() external view {
        Query memory query = _query();
        query.commitment = FIRST;
        _expectUnclaimed(query, _proofOf(SECOND), Reason.UnknownExam);
        Membership memory membership = _proofOf(FIRST);
        membership.batchRoot = keccak256("other batch");
        _expectUnclaimed(query, membership, Reason.UnknownExam);
    }

    /// @notice Storage beats proof: what was handed over, amended or retired is judged as stored.
    function test_CheckUnclaimed_StorageBeatsProof() external {
        Query memory query = _query();
        query.commitment = FIRST;
        query.reader = uint160(PATIENT);
        ExamId id = ledger.claim(CUSTODIAN, PATIENT, FIRST, _proofOf(FIRST));
        VM.prank(PATIENT);
        ledger.handOver(id, STRANGER);
        VM.prank(STRANGER);
        ledger.accept(id);
        _expectUnclaimed(query, _proofOf(FIRST), Reason.NotGranted);

        query.commitment = SECOND;
        _retire(SECOND);
        _expectUnclaimed(query, _proofOf(SECOND), Reason.RetiredExam);
    }

    function test_CheckUnclaimed_JudgesStoredExamsWithoutAProof() external {
        _grant(exam, _plain());
        _expectUnclaimed(_query(), Membership(0, 0, new bytes32[](0)), Reason.Permitted);
    }

    function test_CheckUnclaimed_MalformedIsMalformed() external view {
        Query memory query = _query();
        query.commitment = FIRST;
        query.purpose = 0;
        _expectUnclaimed(query, _proofOf(FIRST), Reason.MalformedQuery);
    }

    function testFuzz_CheckUnclaimed_NeverReverts(
        Query calldata query,
        Membership calldata membership
    ) external view {
        ledger.checkUnclaimed(query, membership);
    }

    function testFuzz_RevertWhen_ClaimWithARandomProof(
        address patient,
        bytes32 commitment,
        bytes32 manifestRoot,
        bytes32[] calldata proof
    ) external {
        VM.assume(commitment != FIRST && commitment != SECOND && commitment != THIRD);
        _expectNotInBatch(Ids.exam(CUSTODIAN, patient, commitment), _batchRoot);
        ledger.claim(CUSTODIAN, patient, commitment, Membership(_batchRoot, manifestRoot, proof));
    }

    function _id(bytes32 commitment) private pure returns (ExamId) {
        return Ids.exam(CUSTODIAN, PATIENT, commitment);
    }

    function _leaf(bytes32 commitment) private pure returns (bytes32) {
        return Ids.pointer(_id(commitment), ROOT);
    }

    function _proofOf(bytes32 commitment) private view returns (Membership memory) {
        bytes32[] memory proof = new bytes32[](commitment == THIRD ? 1 : 2);
        if (commitment == THIRD) proof[0] = Ids.node(_leaf(FIRST), _leaf(SECOND));
        else (proof[0], proof[1]) = (_leaf(commitment == FIRST ? SECOND : FIRST), _leaf(THIRD));
        return Membership(_batchRoot, ROOT, proof);
    }

    function _expectNotInBatch(ExamId id, bytes32 root) private {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotInBatch.selector, id, root));
    }

    function _expectUnclaimed(
        Query memory query,
        Membership memory membership,
        Reason expected
    ) private view {
        (Reason reason, uint256 validUntil) = ledger.checkUnclaimed(query, membership);
        _equal(uint256(reason), uint256(expected));
        if (expected != Reason.Permitted) _equal(validUntil, 0);
    }
}
