// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Grant,
    Grantee,
    IConsentLedger,
    Patient,
    Query,
    Reason
} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerGrantsTest
/// @notice What a patient writes: grant, revoke, revoke all.
contract ConsentLedgerGrantsTest is LedgerTest {
    uint256 private constant LATEST = type(uint40).max;

    function test_Grant_KeepsTermsTimeAndNonce() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.Granted(PATIENT, exam, _grantee(READER), _plain());
        _grant(exam, _plain());
        _expectGrant(_plain(), NOW, false, 1);
    }

    /// @notice In a rival, extending makes a second grant, and revoking the first leaves access open.
    function test_Grant_ExtendingReplaces_SoThatOneRevokeCloses() external {
        _grant(exam, _plain());
        VM.warp(NOW + 1 hours);
        Terms longer = _terms(NOW, END + 30 days, TREAT, VIEW);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.Granted(PATIENT, exam, _grantee(READER), longer);
        _grant(exam, longer);
        _expectGrant(longer, NOW + 1 hours, false, 2);
        _expectPermit(_query(), END + 30 days);

        _revoke(exam);
        _expect(_query(), Reason.Revoked);
    }

    function test_Grant_MayPrecedeTheRegistration() external {
        bytes32 commitment = keccak256("registered later");
        _grant(Ids.whole(Ids.exam(CUSTODIAN, PATIENT, commitment)), _plain());
        Query memory query = _query();
        query.commitment = commitment;
        _expect(query, Reason.UnknownExam);

        VM.prank(CUSTODIAN);
        ledger.register(CUSTODIAN, PATIENT, commitment, ROOT);
        _expectPermit(query, END);
    }

    function test_Revoke_KeepsNothingButTheNonce() external {
        _grant(exam, _plain());
        VM.expectEmit(address(ledger));
        emit IConsentLedger.Revoked(PATIENT, exam, _grantee(READER));
        _revoke(exam);
        _expectGrant(Terms.wrap(0), 0, true, 2);
    }

    function test_Revoke_OfWhatWasNeverGrantedWrites() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.Revoked(PATIENT, exam, _grantee(READER));
        _revoke(exam);
        _expectGrant(Terms.wrap(0), 0, true, 1);
        _expect(_query(), Reason.Revoked);
    }

    function test_Grant_AfterRevokeOpensAgain() external {
        _grant(exam, _plain());
        _revoke(exam);
        _grant(exam, _plain());
        _expectGrant(_plain(), NOW, false, 3);
        _expectPermit(_query(), END);
    }

    /// @notice In a rival, a revoke can be sent by somebody the patient never named.
    function testFuzz_Revoke_ByAnybodyElseChangesNothing(address sender) external {
        VM.assume(sender != PATIENT);
        _grant(exam, _plain());
        VM.prank(sender);
        ledger.revoke(exam, _grantee(READER));
        VM.prank(sender);
        ledger.revokeAll(sender);
        VM.prank(sender);
        ledger.grant(exam, _grantee(READER), _terms(NOW, END + 1, TREAT, VIEW));
        _expectGrant(_plain(), NOW, false, 1);
        _expectPermit(_query(), END);
    }

    function testFuzz_Grant_ByAnybodyElseOpensNothing(address sender) external {
        VM.assume(sender != PATIENT);
        VM.prank(sender);
        ledger.grant(exam, _grantee(READER), _plain());
        _expect(_query(), Reason.NotGranted);
    }

    function test_RevokeAll_IsKeptWithTimeAndEpoch() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.RevokedAll(PATIENT);
        _revokeAll();
        VM.warp(NOW + 7);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.RevokedAll(PATIENT);
        _revokeAll();
        Patient memory patient = ledger.patientOf(PATIENT);
        _equal(patient.revokedAllAt, NOW + 7);
        _equal(patient.epoch, 2);
        _equal(patient.revocations, 2);
    }

    function test_RevertWhen_GrantWithoutGrantee() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerZeroGrantee.selector));
        VM.prank(PATIENT);
        ledger.grant(exam, Grantee.wrap(0), _plain());
    }

    function test_RevertWhen_GrantWithoutPurpose() external {
        _expectRevert(IConsentLedger.ConsentLedgerZeroPurposes.selector, _terms(NOW, END, 0, VIEW));
    }

    function test_RevertWhen_GrantWithoutAction() external {
        _expectRevert(IConsentLedger.ConsentLedgerZeroActions.selector, _terms(NOW, END, TREAT, 0));
    }

    function test_RevertWhen_GrantOfEmptyPeriod() external {
        _expectEmptyPeriod(NOW, NOW);
        _expectEmptyPeriod(NOW, NOW - 1);
        _expectEmptyPeriod(NOW, 0);
        _expectEmptyPeriod(0, 0);
        _expectEmptyPeriod(LATEST, LATEST);
    }

    function test_Grant_TakesTheShortestAndTheLongestPeriod() external {
        _grant(exam, _terms(NOW, NOW + 1, TREAT, VIEW));
        _expectPermit(_query(), NOW + 1);
        _grant(exam, _terms(0, LATEST, type(uint32).max, type(uint16).max));
        _expectPermit(_query(), LATEST);
        _expectGrant(_terms(0, LATEST, type(uint32).max, type(uint16).max), NOW, false, 2);
    }

    function testFuzz_RevertWhen_TermsHaveUnknownBits(uint128 excess) external {
        VM.assume(excess != 0);
        Terms terms = Terms.wrap(Terms.unwrap(_plain()) | (uint256(excess) << 128));
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerUnknownTerms.selector, terms));
        _grant(exam, terms);
    }

    /// @notice Whatever well-formed terms are granted, they are what is kept, and nonce and time stay clear of them.
    function testFuzz_Grant_KeepsAnyWellFormedTerms(uint128 word, uint40 time) external {
        Terms terms = Terms.wrap(word);
        VM.assume(terms.notAfter() > terms.notBefore() && terms.purposes() != 0 && terms.actions() != 0);
        VM.warp(time);
        _grant(exam, terms);
        _expectGrant(terms, time, false, 1);
    }

    function _expectRevert(bytes4 selector, Terms terms) private {
        VM.expectRevert(abi.encodeWithSelector(selector));
        _grant(exam, terms);
    }

    function _expectEmptyPeriod(uint256 notBefore, uint256 notAfter) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerEmptyPeriod.selector, notBefore, notAfter)
        );
        _grant(exam, _terms(notBefore, notAfter, TREAT, VIEW));
    }

    function _expectGrant(Terms terms, uint256 grantedAt, bool revoked, uint256 nonce) private view {
        Grant memory kept = ledger.grantOf(PATIENT, exam, _grantee(READER));
        _equal(Terms.unwrap(kept.terms), Terms.unwrap(terms));
        _equal(kept.grantedAt, grantedAt);
        _true(kept.revoked == revoked, "revoked");
        _equal(kept.nonce, nonce);
    }
}
