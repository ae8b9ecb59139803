// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian, IConsentLedger, Reason, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerGuardiansTest
/// @notice Acts on several resources at once, and who may do them for a patient until when.
contract ConsentLedgerGuardiansTest is LedgerTest {
    address private constant GUARDIAN = address(0x6A4D);

    function test_NameGuardian_IsKeptUntilItsDate() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.GuardianNamed(PATIENT, GUARDIAN, NOW + 10);
        _name(NOW + 10);
        Guardian memory guardian = ledger.guardianOf(PATIENT, GUARDIAN);
        _equal(guardian.until, NOW + 10);
        _equal(guardian.namedAt, NOW);
        _equal(guardian.nonce, 1);

        _true(ledger.isGuardian(PATIENT, GUARDIAN), "named");
        _true(!ledger.isGuardian(GUARDIAN, PATIENT), "the other way round");
        _true(!ledger.isGuardian(PATIENT, STRANGER), "nobody named");
        _true(!ledger.isGuardian(PATIENT, PATIENT), "oneself");
        VM.warp(NOW + 9);
        _true(ledger.isGuardian(PATIENT, GUARDIAN), "the second before");
        VM.warp(NOW + 10);
        _true(!ledger.isGuardian(PATIENT, GUARDIAN), "at its date");
        VM.warp(NOW + 11);
        _true(!ledger.isGuardian(PATIENT, GUARDIAN), "after");
    }

    function test_NameGuardian_AgainChangesTheDate() external {
        _name(NOW + 10);
        VM.warp(NOW + 1);
        _name(0);
        _true(!ledger.isGuardian(PATIENT, GUARDIAN), "ended");
        Guardian memory guardian = ledger.guardianOf(PATIENT, GUARDIAN);
        _equal(guardian.namedAt, NOW + 1);
        _equal(guardian.nonce, 2);
    }

    function test_RevertWhen_NamingNobody() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerZeroGuardian.selector));
        VM.prank(PATIENT);
        ledger.nameGuardian(address(0), uint40(END));
    }

    function test_GrantBatch_ByThePatient() external {
        Resource[] memory resources = _two(exam, series);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.GrantedBatch(PATIENT, _grantee(READER), _plain(), resources);
        _grantBatchBy(PATIENT, resources);
        _equal(_slot(exam).nonce, 1);
        _equal(_slot(series).nonce, 1);
        _equal(_slot(series).grantedAt, NOW);
        _expectPermit(_query(), END);
        _expectPermit(_seriesQuery(), END);
    }

    function test_RevokeBatch_ByThePatient() external {
        _grantBatchBy(PATIENT, _two(exam, series));
        VM.expectEmit(address(ledger));
        emit IConsentLedger.RevokedBatch(PATIENT, _grantee(READER), _two(series, exam));
        VM.prank(PATIENT);
        ledger.revokeBatch(PATIENT, _two(series, exam), _grantee(READER));
        _true(_slot(exam).revoked && _slot(series).revoked, "revoked");
        _expect(_query(), Reason.Revoked);
        _expect(_seriesQuery(), Reason.Revoked);
    }

    function test_GrantBatch_ByAGuardianCountsAsThePatients() external {
        _name(END);
        _grantBatchBy(GUARDIAN, _two(exam, series));
        _expectPermit(_query(), END);
        _equal(ledger.grantOf(GUARDIAN, exam, _grantee(READER)).nonce, 0);

        VM.prank(GUARDIAN);
        ledger.revokeBatch(PATIENT, _two(exam, series), _grantee(READER));
        _expect(_query(), Reason.Revoked);
    }

    function test_RevokeAll_ByAGuardianEndsTheirOwnNamingToo() external {
        _name(END);
        VM.warp(NOW + 1);
        _grant(exam, _plain());
        VM.expectEmit(address(ledger));
        emit IConsentLedger.RevokedAll(PATIENT);
        VM.prank(GUARDIAN);
        ledger.revokeAll(PATIENT);
        _expect(_query(), Reason.Revoked);
        _true(!ledger.isGuardian(PATIENT, GUARDIAN), "removed");
        _expectNotGuardian(GUARDIAN);
        VM.prank(GUARDIAN);
        ledger.revokeAll(PATIENT);
    }

    function test_RevokeAll_RemovesAGuardianOfTheSameSecond() external {
        _revokeAll();
        _name(END);
        _true(!ledger.isGuardian(PATIENT, GUARDIAN), "same second");
        VM.warp(NOW + 1);
        _true(!ledger.isGuardian(PATIENT, GUARDIAN), "and later");
        _name(END);
        _true(ledger.isGuardian(PATIENT, GUARDIAN), "named anew");
    }

    /// @notice In a rival, a helper named once stays for ever, and passes for any exam.
    function test_RevertWhen_AGuardianActsAtTheirDate() external {
        _name(NOW + 10);
        VM.warp(NOW + 10);
        _expectNotGuardian(GUARDIAN);
        _grantBatchBy(GUARDIAN, _two(exam, series));
    }

    function test_AGuardianOfOnePatientIsNoneOfAnother() external {
        _name(END);
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotGuardian.selector, STRANGER, GUARDIAN)
        );
        VM.prank(GUARDIAN);
        ledger.grantBatch(STRANGER, _two(exam, series), _grantee(READER), _plain());
    }

    function testFuzz_RevertWhen_AnybodyElseActsForThePatient(address sender) external {
        VM.assume(sender != PATIENT && sender != GUARDIAN);
        _name(END);
        _expectNotGuardian(sender);
        _grantBatchBy(sender, _two(exam, series));
        _expectNotGuardian(sender);
        VM.prank(sender);
        ledger.revokeBatch(PATIENT, _two(exam, series), _grantee(READER));
        _expectNotGuardian(sender);
        VM.prank(sender);
        ledger.revokeAll(PATIENT);
    }

    function test_RevertWhen_ABatchIsEmpty() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerEmptyBatch.selector));
        _grantBatchBy(PATIENT, new Resource[](0));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerEmptyBatch.selector));
        VM.prank(PATIENT);
        ledger.revokeBatch(PATIENT, new Resource[](0), _grantee(READER));
    }

    function test_ABatchOfOneAndOfFiveHundred() external {
        for (uint256 size = 1; size <= 500; size += 499) {
            Resource[] memory resources = new Resource[](size);
            for (uint256 i = 0; i < size; ++i) resources[i] = Resource.wrap(keccak256(abi.encode(size, i)));
            _grantBatchBy(PATIENT, resources);
            for (uint256 i = 0; i < size; ++i) _equal(_slot(resources[i]).nonce, 1);
        }
    }

    /// @notice Named twice in a batch, a resource is written twice, as by two acts.
    function test_ABatchMayNameAResourceTwice() external {
        _grantBatchBy(PATIENT, _two(exam, exam));
        _equal(_slot(exam).nonce, 2);
        _expectPermit(_query(), END);
    }

    function test_RevertWhen_ABatchGrantsWhatAGrantMayNot() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerZeroPurposes.selector));
        VM.prank(PATIENT);
        ledger.grantBatch(PATIENT, _two(exam, series), _grantee(READER), _terms(NOW, END, 0, VIEW));
    }

    function _name(uint256 until) private {
        VM.prank(PATIENT);
        ledger.nameGuardian(GUARDIAN, uint40(until));
    }

    function _grantBatchBy(address sender, Resource[] memory resources) private {
        VM.prank(sender);
        ledger.grantBatch(PATIENT, resources, _grantee(READER), _plain());
    }

    function _expectNotGuardian(address sender) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotGuardian.selector, PATIENT, sender)
        );
    }
}
