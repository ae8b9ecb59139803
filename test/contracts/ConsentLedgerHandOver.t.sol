// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamId, IConsentLedger, Offer, Query, Reason} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerHandOverTest
/// @notice How an exam gets another owner, who accepts it, and what that ends.
contract ConsentLedgerHandOverTest is LedgerTest {
    address private constant HEIR = address(0x4E14);

    function test_HandOver_OffersAndAcceptTakes() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamOffered(examId, PATIENT, HEIR);
        _offer(PATIENT, HEIR);
        _expectOffer(HEIR, NOW, 1);
        _equal(ledger.pointerOf(examId).owner, PATIENT);

        VM.warp(NOW + 5);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamHandedOver(examId, PATIENT, HEIR);
        _accept(HEIR);
        _equal(ledger.pointerOf(examId).owner, HEIR);
        _equal(ledger.pointerOf(examId).ownedSince, NOW + 5);
        _equal(ledger.pointerOf(examId).version, 1);
        _expectOffer(address(0), 0, 2);
        _equal(ledger.patientOf(PATIENT).epoch, 1);
        _equal(ledger.patientOf(PATIENT).revocations, 0);
        _equal(ledger.patientOf(HEIR).epoch, 0);
    }

    function test_TheNewOwnerReadsAndDecides_TheFormerOneDoesNot() external {
        _handOver(PATIENT, HEIR);
        VM.warp(NOW + 1);
        Query memory query = _query();
        query.reader = uint160(HEIR);
        _expectPermit(query, type(uint256).max);
        query.reader = uint160(PATIENT);
        _expect(query, Reason.NotGranted);

        _grant(exam, _plain());
        _expect(_query(), Reason.NotGranted);
        _grantBy(HEIR, exam, _plain());
        _expectPermit(_query(), END);
        _revoke(exam);
        _expectPermit(_query(), END);
    }

    /// @notice A grant that the new owner made before they owned it, be it in the second of the hand-over, opens nothing.
    function test_WhatTheNewOwnerGrantedBeforeIsDead() external {
        _grantBy(HEIR, exam, _plain());
        _grantBy(HEIR, series, _plain());
        _handOver(PATIENT, HEIR);
        _expect(_query(), Reason.Revoked);
        _expect(_seriesQuery(), Reason.Revoked);
        _grantBy(HEIR, exam, _plain());
        _expect(_query(), Reason.Revoked);
        VM.warp(NOW + 1);
        _expect(_query(), Reason.Revoked);
        _grantBy(HEIR, exam, _plain());
        _expectPermit(_query(), END);
        _expectPermit(_seriesQuery(), END);
    }

    function test_GrantsOfBeforeStayDeadWhenTheExamComesBack() external {
        _grant(exam, _plain());
        _grant(series, _plain());
        VM.warp(NOW + 1);
        _handOver(PATIENT, HEIR);
        _grant(exam, _plain());
        VM.warp(NOW + 2);
        _handOver(HEIR, PATIENT);
        _expect(_query(), Reason.Revoked);
        _expect(_seriesQuery(), Reason.Revoked);
        VM.warp(NOW + 3);
        _grant(exam, _plain());
        _expectPermit(_query(), END);
    }

    function test_WideGrantsFollowTheirPatientAndNotTheExam() external {
        _grant(Ids.allExams(), _plain());
        _handOver(PATIENT, HEIR);
        _expect(_query(), Reason.NotGranted);
        _handOver(HEIR, PATIENT);
        _expectPermit(_query(), END);
        _handOver(PATIENT, HEIR);
        _grantBy(HEIR, Ids.examsAt(CUSTODIAN), _plain());
        _expectPermit(_query(), END);
    }

    function test_HandOver_AgainReplacesTheOffer() external {
        _offer(PATIENT, STRANGER);
        _offer(PATIENT, HEIR);
        _expectOffer(HEIR, NOW, 2);
        _expectNotOffered(STRANGER);
        _accept(STRANGER);
        _accept(HEIR);
        _equal(ledger.pointerOf(examId).owner, HEIR);
    }

    function test_HandOver_ToNobodyWithdraws() external {
        _offer(PATIENT, HEIR);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamOffered(examId, PATIENT, address(0));
        _offer(PATIENT, address(0));
        _expectNotOffered(HEIR);
        _accept(HEIR);
    }

    function test_RevokeAll_EndsAnOffer() external {
        _offer(PATIENT, HEIR);
        _revokeAll();
        _expectNotOffered(HEIR);
        _accept(HEIR);
        _offer(PATIENT, HEIR);
        _expectNotOffered(HEIR);
        _accept(HEIR);
        VM.warp(NOW + 1);
        _offer(PATIENT, HEIR);
        _accept(HEIR);
        _equal(ledger.pointerOf(examId).owner, HEIR);
    }

    function test_RevertWhen_AcceptedTwice() external {
        _handOver(PATIENT, HEIR);
        _expectNotOffered(HEIR);
        _accept(HEIR);
    }

    function test_RevertWhen_HandedOverByAnybodyButTheOwner() external {
        _expectNotOwner(CUSTODIAN);
        _offer(CUSTODIAN, HEIR);
        _expectNotOwner(HEIR);
        _offer(HEIR, HEIR);
        _handOver(PATIENT, HEIR);
        _expectNotOwner(PATIENT);
        _offer(PATIENT, PATIENT);
    }

    function test_RevertWhen_TheExamIsUnknown() external {
        ExamId unknown = Ids.exam(CUSTODIAN, PATIENT, keccak256("unknown"));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamUnknown.selector, unknown));
        VM.prank(PATIENT);
        ledger.handOver(unknown, HEIR);
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamUnknown.selector, unknown));
        VM.prank(HEIR);
        ledger.accept(unknown);
    }

    function test_RevertWhen_TheExamIsRetired() external {
        _offer(PATIENT, HEIR);
        _retire(COMMITMENT);
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRetired.selector, examId));
        _accept(HEIR);
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRetired.selector, examId));
        _offer(PATIENT, HEIR);
    }

    /// @notice The custodian amends and retires under the patient of the registration, whoever owns the exam.
    function test_TheCustodianStillAmendsAndRetires() external {
        _handOver(PATIENT, HEIR);
        VM.prank(CUSTODIAN);
        ledger.amend(CUSTODIAN, PATIENT, COMMITMENT, keccak256("second root"));
        _equal(ledger.pointerOf(examId).version, 2);
        _equal(ledger.pointerOf(examId).owner, HEIR);
        _retire(COMMITMENT);
        Query memory query = _query();
        query.reader = uint160(HEIR);
        _expect(query, Reason.RetiredExam);
    }

    function testFuzz_RevertWhen_AnybodyElseAccepts(address sender) external {
        VM.assume(sender != HEIR);
        _offer(PATIENT, HEIR);
        _expectNotOffered(sender);
        _accept(sender);
    }

    function _offer(address from, address to) private {
        VM.prank(from);
        ledger.handOver(examId, to);
    }

    function _accept(address to) private {
        VM.prank(to);
        ledger.accept(examId);
    }

    function _handOver(address from, address to) private {
        _offer(from, to);
        _accept(to);
    }

    function _expectOffer(address to, uint256 offeredAt, uint256 nonce) private view {
        Offer memory offer = ledger.offerOf(examId);
        _equal(offer.to, to);
        _equal(offer.offeredAt, offeredAt);
        _equal(offer.nonce, nonce);
    }

    function _expectNotOwner(address sender) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotOwner.selector, examId, sender)
        );
    }

    function _expectNotOffered(address receiver) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotOffered.selector, examId, receiver)
        );
    }
}
