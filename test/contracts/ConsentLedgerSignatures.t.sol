// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Authorization,
    ExamId,
    Grantee,
    IConsentLedger,
    Query,
    Reason,
    Resource
} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {TypedData} from "../../contracts/libraries/TypedData.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {Signing} from "./Signing.sol";

/// @title ConsentLedgerSignaturesTest
/// @notice Each act of a patient's, signed by them and sent by a stranger.
contract ConsentLedgerSignaturesTest is LedgerTest, Signing {
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant OTHER_KEY = 0xB0B;
    uint256 private constant DEADLINE = NOW + 1 hours;

    address private _signer;
    address private _other;
    ExamId private _id;
    Resource private _exam;

    function setUp() public override {
        super.setUp();
        (_signer, _other) = (VM.addr(KEY), VM.addr(OTHER_KEY));
        _id = _register(_signer, COMMITMENT);
        _exam = Ids.whole(_id);
    }

    // Grant

    function test_GrantBySig_CountsAsThePatients() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.Granted(_signer, _exam, _grantee(READER), _plain());
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        _expectSigned(Reason.Permitted);
    }

    function test_GrantBySig_ReplayedWhileItStandsChangesNothing() external {
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        VM.warp(NOW + 1);
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        _equal(ledger.grantOf(_signer, _exam, _grantee(READER)).nonce, 1);
        _equal(ledger.grantOf(_signer, _exam, _grantee(READER)).grantedAt, NOW);
    }

    /// @notice In a rival, a stranger replays a grant after the revoke, and access is back.
    function test_RevertWhen_GrantBySigAfterItsRevoke() external {
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        _revokeAsSigner();
        _expectNonce(0, 2);
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        _expectSigned(Reason.Revoked);
    }

    function test_RevertWhen_GrantBySigWasRevokedBeforeItWasSent() external {
        _revokeAsSigner();
        _expectNonce(0, 1);
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
    }

    function test_RevertWhen_GrantBySigAfterAnotherGrant() external {
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        VM.prank(_signer);
        ledger.grant(_exam, _grantee(READER), _terms(NOW, END, HRESCH, VIEW));
        _expectNonce(0, 2);
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
    }

    function test_RevertWhen_GrantBySigIsOneBehindAndSomethingElseStands() external {
        Terms[3] memory others = [
            _terms(NOW, END, HRESCH, VIEW),
            _terms(NOW, END - 1, TREAT, VIEW),
            _terms(NOW, END + 1, TREAT, VIEW)
        ];
        for (uint256 nonce = 0; nonce < others.length; ++nonce) {
            VM.prank(_signer);
            ledger.grant(_exam, _grantee(READER), others[nonce]);
            Authorization memory by = _grantBy(KEY, nonce, 0);
            _expectNonce(nonce, nonce + 1);
            _grantBySig(by, nonce, 0);
        }
    }

    /// @notice A revoked slot holds no terms; to have signed for none is not to have revoked.
    function test_RevertWhen_GrantBySigIsOneBehindARevokeAndGrantsNothing() external {
        _revokeAsSigner();
        Terms none = Terms.wrap(0);
        bytes32 hash = TypedData.grant(_signer, _exam, _grantee(READER), none, 0, 0, DEADLINE);
        _expectNonce(0, 1);
        ledger.grantBySig(_exam, _grantee(READER), none, 0, 0, _by(KEY, hash));
    }

    function test_RevertWhen_GrantBySigComesTooEarly() external {
        _expectNonce(1, 0);
        _grantBySig(_grantBy(KEY, 1, 0), 1, 0);
    }

    function test_RevertWhen_GrantBySigNamesTheGreatestNonce() external {
        _expectNonce(type(uint256).max, 0);
        _grantBySig(_grantBy(KEY, type(uint256).max, 0), type(uint256).max, 0);
    }

    function test_RevertWhen_GrantBySigAfterRevokeAll() external {
        Authorization memory by = _grantBy(KEY, 0, 0);
        VM.prank(_signer);
        ledger.revokeAll(_signer);
        _expectEpoch(0, 1);
        _grantBySig(by, 0, 0);

        VM.warp(NOW + 1);
        _grantBySig(_grantBy(KEY, 0, 1), 0, 1);
        _expectSigned(Reason.Permitted);
    }

    function test_RevertWhen_GrantBySigNamesALaterEpoch() external {
        _expectEpoch(1, 0);
        _grantBySig(_grantBy(KEY, 0, 1), 0, 1);
    }

    /// @notice Signed and not sent, a grant is dead once the exam has left, also when it has come back.
    function test_RevertWhen_GrantBySigAfterTheExamLeft() external {
        Authorization memory by = _grantBy(KEY, 0, 0);
        _handOver(_signer, STRANGER);
        _expectEpoch(0, 1);
        _grantBySig(by, 0, 0);

        VM.warp(NOW + 1);
        _handOver(STRANGER, _signer);
        _expectEpoch(0, 1);
        _grantBySig(by, 0, 0);
        _expectSigned(Reason.NotGranted);
    }

    function test_GrantBySig_EndsWithItsDeadline() external {
        Authorization memory by = _grantBy(KEY, 0, 0);
        VM.warp(DEADLINE);
        _expectExpired();
        _grantBySig(by, 0, 0);
        VM.warp(DEADLINE + 1);
        _expectExpired();
        _grantBySig(by, 0, 0);
        VM.warp(DEADLINE - 1);
        _grantBySig(by, 0, 0);
        _expectSigned(Reason.Permitted);
    }

    function test_RevertWhen_GrantBySigIsSignedBySomebodyElse() external {
        Authorization memory by = _grantBy(OTHER_KEY, 0, 0);
        by.patient = _signer;
        _expectInvalid();
        _grantBySig(by, 0, 0);
    }

    function test_RevertWhen_GrantBySigIsSentWithOtherWords() external {
        Authorization memory by = _grantBy(KEY, 0, 0);
        _expectInvalid();
        ledger.grantBySig(Ids.allExams(), _grantee(READER), _plain(), 0, 0, by);
        _expectInvalid();
        ledger.grantBySig(_exam, _grantee(STRANGER), _plain(), 0, 0, by);
        _expectInvalid();
        ledger.grantBySig(_exam, _grantee(READER), _terms(NOW - 1, END, TREAT, VIEW), 0, 0, by);
        _expectInvalid();
        ledger.grantBySig(_exam, _grantee(READER), _terms(NOW, END + 1, TREAT, VIEW), 0, 0, by);
        _expectInvalid();
        ledger.grantBySig(_exam, _grantee(READER), _terms(NOW, END, TREAT | HRESCH, VIEW), 0, 0, by);
        _expectInvalid();
        ledger.grantBySig(_exam, _grantee(READER), _terms(NOW, END, TREAT, VIEW | DOWNLOAD), 0, 0, by);
        _expectInvalid();
        _grantBySig(by, 1, 0);
        by.deadline += 1;
        _expectInvalid();
        _grantBySig(by, 0, 0);
    }

    /// @notice Bits above the terms' fields are not signed for, and so are refused, not dropped.
    function test_RevertWhen_GrantBySigHasUnknownTerms() external {
        Authorization memory by = _grantBy(KEY, 0, 0);
        Terms excessive = Terms.wrap(Terms.unwrap(_plain()) | (1 << 128));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerUnknownTerms.selector, excessive));
        ledger.grantBySig(_exam, _grantee(READER), excessive, 0, 0, by);
    }

    function test_RevertWhen_GrantBySigIsForAnotherChain() external {
        Authorization memory by = _grantBy(KEY, 0, 0);
        VM.chainId(1);
        _expectInvalid();
        _grantBySig(by, 0, 0);
    }

    function testFuzz_RevertWhen_TheSignatureIsRandom(bytes calldata signature) external {
        _expectInvalid();
        _grantBySig(Authorization(_signer, DEADLINE, signature), 0, 0);
    }

    function test_RevertWhen_NobodySigns() external {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerInvalidSignature.selector, address(0))
        );
        _grantBySig(Authorization(address(0), DEADLINE, new bytes(65)), 0, 0);
    }

    // Batches

    function test_GrantBatchBySig_CountsAsThePatients() external {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        VM.expectEmit(address(ledger));
        emit IConsentLedger.GrantedBatch(_signer, _grantee(READER), _plain(), resources);
        _grantBatchBySig(resources, _nonces(0, 0));
        _expectSigned(Reason.Permitted);
        _grantBatchBySig(resources, _nonces(0, 0));
        _equal(ledger.grantOf(_signer, _exam, _grantee(READER)).nonce, 1);
    }

    function test_RevertWhen_OneSlotOfABatchHasMovedOn() external {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        _revokeAsSigner();
        _expectNonce(0, 1);
        _grantBatchBySig(resources, _nonces(0, 0));
        _grantBatchBySig(resources, _nonces(1, 0));
        _revokeAsSigner();
        _expectNonce(1, 3);
        _grantBatchBySig(resources, _nonces(1, 0));
    }

    /// @notice One slot already done and the other not: the whole is neither, and is refused.
    function test_RevertWhen_ABatchIsHalfDone() external {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        _expectNonce(0, 0);
        _grantBatchBySig(resources, _nonces(0, 0));

        resources = _two(Ids.allExams(), _exam);
        _expectNonce(0, 1);
        _grantBatchBySig(resources, _nonces(0, 0));
    }

    function test_RevertWhen_ABatchLacksANonce() external {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerNonceCount.selector, 2, 1));
        _grantBatchBySig(resources, new uint256[](1));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerNonceCount.selector, 2, 3));
        _grantBatchBySig(resources, new uint256[](3));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerNonceCount.selector, 0, 1));
        _grantBatchBySig(new Resource[](0), new uint256[](1));
    }

    function test_RevertWhen_ABatchIsEmpty() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerEmptyBatch.selector));
        _grantBatchBySig(new Resource[](0), new uint256[](0));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerEmptyBatch.selector));
        _revokeBatchBySig(new Resource[](0), new uint256[](0));
    }

    function test_RevertWhen_ABatchIsSentWithOtherResources() external {
        Authorization memory by = _by(KEY, _grantBatchHash(_two(_exam, Ids.allExams()), _nonces(0, 0), 0));
        _expectInvalid();
        ledger.grantBatchBySig(_two(Ids.allExams(), _exam), _grantee(READER), _plain(), _nonces(0, 0), 0, by);
    }

    function test_RevokeBatchBySig_CountsAsThePatients() external {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        _grantBatchBySig(resources, _nonces(0, 0));
        VM.expectEmit(address(ledger));
        emit IConsentLedger.RevokedBatch(_signer, _grantee(READER), resources);
        _revokeBatchBySig(resources, _nonces(1, 1));
        _expectSigned(Reason.Revoked);
        _revokeBatchBySig(resources, _nonces(1, 1));
        _equal(ledger.grantOf(_signer, _exam, _grantee(READER)).nonce, 2);
    }

    // Revoke

    function test_RevokeBySig_CountsAsThePatients() external {
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.Revoked(_signer, _exam, _grantee(READER));
        _revokeBySig(1);
        _expectSigned(Reason.Revoked);
        _revokeBySig(1);
        _equal(ledger.grantOf(_signer, _exam, _grantee(READER)).nonce, 2);
    }

    function test_RevertWhen_RevokeBySigAfterAnotherGrant() external {
        _revokeBySig(0);
        VM.prank(_signer);
        ledger.grant(_exam, _grantee(READER), _plain());
        _expectNonce(0, 2);
        _revokeBySig(0);
    }

    /// @notice One behind, and a grant stands: the revoke was overtaken, not done.
    function test_RevertWhen_RevokeBySigWasOvertaken() external {
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        _expectNonce(0, 1);
        _revokeBySig(0);
    }

    function test_RevokeAllBySig_CountsAsThePatients() external {
        _grantBySig(_grantBy(KEY, 0, 0), 0, 0);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.RevokedAll(_signer);
        _revokeAllBySig(0);
        _expectSigned(Reason.Revoked);
        _revokeAllBySig(0);
        _equal(ledger.patientOf(_signer).revocations, 1);
        _revokeAllBySig(1);
        _expectNonce(0, 2);
        _revokeAllBySig(0);
        _expectNonce(3, 2);
        _revokeAllBySig(3);
    }

    /// @notice Once something can have been granted since, the last one is refused: it must not pass for done.
    function test_RevertWhen_RevokeAllBySigComesAgainLater() external {
        _revokeAllBySig(0);
        VM.warp(NOW + 1);
        _expectNonce(0, 1);
        _revokeAllBySig(0);
    }

    /// @notice Whoever accepts an exam moves its former owner's epoch, and must not hinder their revoke of all by it.
    function test_RevokeAllBySig_IsBoundToNoEpoch() external {
        _handOver(_signer, STRANGER);
        _revokeAllBySig(0);
        _equal(ledger.patientOf(_signer).epoch, 2);
    }

    // Guardians and ownership

    function test_NameGuardianBySig_CountsAsThePatients() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.GuardianNamed(_signer, STRANGER, END);
        _nameGuardianBySig(END, 0);
        _true(ledger.isGuardian(_signer, STRANGER), "named");
        VM.warp(NOW + 1);
        _nameGuardianBySig(END, 0);
        _equal(ledger.guardianOf(_signer, STRANGER).namedAt, NOW);
        _expectNonce(0, 1);
        _nameGuardianBySig(END - 1, 0);
        _expectNonce(0, 1);
        _nameGuardianBySig(END + 1, 0);
        _nameGuardianBySig(END + 1, 1);
        _expectNonce(0, 2);
        _nameGuardianBySig(END, 0);
    }

    function test_HandOverBySig_CountsAsTheOwners() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamOffered(_id, _signer, _other);
        _handOverBySig(_other, 0);
        VM.warp(NOW + 1);
        _handOverBySig(_other, 0);
        _equal(ledger.offerOf(_id).offeredAt, NOW);
        _equal(ledger.offerOf(_id).nonce, 1);
        _expectNonce(0, 1);
        _handOverBySig(STRANGER, 0);
        _handOverBySig(address(0), 1);
        _expectNonce(0, 2);
        _handOverBySig(_other, 0);
    }

    /// @notice Somebody who never owned the exam signs what its owner has just done: that is not theirs to have done.
    function test_RevertWhen_HandOverBySigIsNotTheOwners() external {
        _handOverBySig(_other, 0);
        address stranger = VM.addr(0xBAD);
        bytes32 hash = TypedData.handOver(stranger, _id, _other, 0, 0, DEADLINE);
        _expectNonce(0, 1);
        ledger.handOverBySig(_id, _other, 0, 0, _by(0xBAD, hash));
    }

    function test_AcceptBySig_CountsAsTheReceivers() external {
        _handOverBySig(_other, 0);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamHandedOver(_id, _signer, _other);
        _acceptBySig(1);
        _acceptBySig(1);
        _equal(ledger.pointerOf(_id).owner, _other);
        _equal(ledger.offerOf(_id).nonce, 2);
    }

    function test_RevertWhen_AcceptBySigIsForAnEarlierOffer() external {
        _handOverBySig(_other, 0);
        _handOverBySig(_other, 1);
        _expectNonce(1, 2);
        _acceptBySig(1);
        _equal(ledger.pointerOf(_id).owner, _signer);
    }

    function test_RevertWhen_AcceptBySigFindsNoOffer() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotOffered.selector, _id, _other));
        _acceptBySig(0);
    }

    /// @notice Who owns an exam that was never offered has accepted nothing.
    function test_RevertWhen_AcceptBySigIsTheOwnersAndThereWasNoOffer() external {
        bytes32 hash = TypedData.accept(_signer, _id, type(uint256).max, 0, DEADLINE);
        _expectNonce(type(uint256).max, 0);
        ledger.acceptBySig(_id, type(uint256).max, 0, _by(KEY, hash));
    }

    /// @notice What a revokeAll ended does not stand: signed anew with the nonce of before, it is refused, not taken as done.
    function test_RevertWhen_WhatStoodWasEndedByRevokeAll() external {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        VM.startPrank(_signer);
        ledger.grantBatch(_signer, resources, _grantee(READER), _plain());
        ledger.nameGuardian(STRANGER, uint40(END));
        ledger.handOver(_id, _other);
        ledger.revokeAll(_signer);
        VM.stopPrank();
        VM.warp(NOW + 1);

        _expectNonce(0, 1);
        _grantBySig(_grantBy(KEY, 0, 1), 0, 1);
        bytes32 hash = TypedData.nameGuardian(_signer, STRANGER, uint40(END), 0, 1, DEADLINE);
        _expectNonce(0, 1);
        ledger.nameGuardianBySig(STRANGER, uint40(END), 0, 1, _by(KEY, hash));
        hash = TypedData.handOver(_signer, _id, _other, 0, 1, DEADLINE);
        _expectNonce(0, 1);
        ledger.handOverBySig(_id, _other, 0, 1, _by(KEY, hash));
        hash = _grantBatchHash(resources, _nonces(0, 0), 1);
        _expectNonce(0, 1);
        ledger.grantBatchBySig(resources, _grantee(READER), _plain(), _nonces(0, 0), 1, _by(KEY, hash));
    }

    /// @notice Every act but revokeAll is refused at its deadline, in another epoch, and signed by somebody else.
    function test_RevertWhen_AnActIsLateOrOutOfItsEpochOrForeign() external {
        VM.prank(_signer);
        ledger.revokeAll(_signer);
        for (uint256 act = 0; act < 6; ++act) {
            _expectEpoch(0, 1);
            _actBySig(act, Authorization(_signer, DEADLINE, ""), 0);
            _expectInvalid();
            _actBySig(act, Authorization(_signer, DEADLINE, new bytes(65)), 1);
        }
        VM.warp(DEADLINE);
        for (uint256 act = 0; act < 7; ++act) {
            _expectExpired();
            _actBySig(act, Authorization(_signer, DEADLINE, ""), 1);
        }
    }

    function _actBySig(uint256 act, Authorization memory by, uint256 epoch) private {
        Resource[] memory resources = _two(_exam, Ids.allExams());
        if (act == 0) ledger.revokeBySig(_exam, _grantee(READER), 0, epoch, by);
        if (act == 1) ledger.revokeBatchBySig(resources, _grantee(READER), _nonces(0, 0), epoch, by);
        if (act == 2) {
            ledger.grantBatchBySig(resources, _grantee(READER), _plain(), _nonces(0, 0), epoch, by);
        }
        if (act == 3) ledger.nameGuardianBySig(STRANGER, uint40(END), 0, epoch, by);
        if (act == 4) ledger.handOverBySig(_id, _other, 0, epoch, by);
        if (act == 5) ledger.acceptBySig(_id, 0, epoch, by);
        if (act == 6) ledger.revokeAllBySig(0, by);
    }

    // Signing

    function _by(uint256 key, bytes32 structHash) private view returns (Authorization memory) {
        return Authorization(VM.addr(key), DEADLINE, _sign(key, "ExamKey", address(ledger), structHash));
    }

    function _grantBy(uint256 key, uint256 nonce, uint256 epoch) private view returns (Authorization memory) {
        Grantee grantee = _grantee(READER);
        return _by(key, TypedData.grant(VM.addr(key), _exam, grantee, _plain(), nonce, epoch, DEADLINE));
    }

    function _grantBySig(Authorization memory by, uint256 nonce, uint256 epoch) private {
        ledger.grantBySig(_exam, _grantee(READER), _plain(), nonce, epoch, by);
    }

    function _grantBatchHash(
        Resource[] memory resources,
        uint256[] memory nonces,
        uint256 epoch
    ) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    TypedData.GRANT_BATCH,
                    _signer,
                    keccak256(abi.encodePacked(resources)),
                    _grantee(READER),
                    NOW,
                    END,
                    TREAT,
                    VIEW,
                    keccak256(abi.encodePacked(nonces)),
                    epoch,
                    DEADLINE
                )
            );
    }

    function _grantBatchBySig(Resource[] memory resources, uint256[] memory nonces) private {
        Authorization memory by = _by(KEY, _grantBatchHash(resources, nonces, 0));
        ledger.grantBatchBySig(resources, _grantee(READER), _plain(), nonces, 0, by);
    }

    function _revokeBatchBySig(Resource[] memory resources, uint256[] memory nonces) private {
        bytes32 hash = keccak256(
            abi.encode(
                TypedData.REVOKE_BATCH,
                _signer,
                keccak256(abi.encodePacked(resources)),
                _grantee(READER),
                keccak256(abi.encodePacked(nonces)),
                0,
                DEADLINE
            )
        );
        ledger.revokeBatchBySig(resources, _grantee(READER), nonces, 0, _by(KEY, hash));
    }

    function _revokeBySig(uint256 nonce) private {
        bytes32 hash = TypedData.revoke(_signer, _exam, _grantee(READER), nonce, 0, DEADLINE);
        ledger.revokeBySig(_exam, _grantee(READER), nonce, 0, _by(KEY, hash));
    }

    function _revokeAllBySig(uint256 nonce) private {
        ledger.revokeAllBySig(nonce, _by(KEY, TypedData.revokeAll(_signer, nonce, DEADLINE)));
    }

    function _nameGuardianBySig(uint256 until, uint256 nonce) private {
        bytes32 hash = TypedData.nameGuardian(_signer, STRANGER, uint40(until), nonce, 0, DEADLINE);
        ledger.nameGuardianBySig(STRANGER, uint40(until), nonce, 0, _by(KEY, hash));
    }

    function _handOverBySig(address to, uint256 nonce) private {
        ledger.handOverBySig(
            _id,
            to,
            nonce,
            0,
            _by(KEY, TypedData.handOver(_signer, _id, to, nonce, 0, DEADLINE))
        );
    }

    function _acceptBySig(uint256 nonce) private {
        bytes32 hash = TypedData.accept(_other, _id, nonce, 0, DEADLINE);
        ledger.acceptBySig(_id, nonce, 0, _by(OTHER_KEY, hash));
    }

    // What is expected

    function _nonces(uint256 first, uint256 second) private pure returns (uint256[] memory nonces) {
        nonces = new uint256[](2);
        (nonces[0], nonces[1]) = (first, second);
    }

    function _revokeAsSigner() private {
        VM.prank(_signer);
        ledger.revoke(_exam, _grantee(READER));
    }

    function _handOver(address from, address to) private {
        VM.prank(from);
        ledger.handOver(_id, to);
        VM.prank(to);
        ledger.accept(_id);
    }

    function _expectSigned(Reason expected) private view {
        Query memory query = _query();
        query.patient = uint160(_signer);
        _expect(query, expected);
    }

    function _expectNonce(uint256 signed, uint256 current) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNonceMismatch.selector, signed, current)
        );
    }

    function _expectEpoch(uint256 signed, uint256 current) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerEpochPassed.selector, signed, current)
        );
    }

    function _expectExpired() private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerSignatureExpired.selector, DEADLINE)
        );
    }

    function _expectInvalid() private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerInvalidSignature.selector, _signer)
        );
    }
}
