// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Query, Reason} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerCheckTest
/// @notice What `check` decides, for each reason and on both sides of each boundary.
contract ConsentLedgerCheckTest is LedgerTest {
    function test_Check_OwnerIsAlwaysPermitted() external view {
        Query memory query = _query();
        query.reader = uint160(PATIENT);
        _expectPermit(query, type(uint256).max);
        query.seriesCommitment = SERIES;
        query.time = type(uint256).max;
        _expectPermit(query, type(uint256).max);
    }

    function test_Check_UnknownExam() external view {
        Query memory query = _query();
        query.commitment = keccak256("unknown");
        _expect(query, Reason.UnknownExam);
    }

    /// @notice In a rival, the path is never compared with the patient: here another patient or custodian is another exam.
    function testFuzz_Check_BindsCustodianPatientAndCommitment(
        address custodian,
        address patient,
        bytes32 commitment
    ) external {
        VM.assume(custodian != CUSTODIAN && patient != PATIENT && commitment != COMMITMENT);
        _grant(exam, _plain());
        Query memory query = _query();
        query.custodian = uint160(custodian);
        _expect(query, Reason.UnknownExam);
        query = _query();
        query.patient = uint160(patient);
        _expect(query, Reason.UnknownExam);
        query = _query();
        query.commitment = commitment;
        _expect(query, Reason.UnknownExam);
    }

    function test_Check_NotGranted() external view {
        _expect(_query(), Reason.NotGranted);
        _expect(_seriesQuery(), Reason.NotGranted);
    }

    function testFuzz_Check_AGrantIsForItsGranteeAlone(address reader) external {
        VM.assume(reader != READER && reader != PATIENT);
        _grant(exam, _plain());
        Query memory query = _query();
        query.reader = uint160(reader);
        _expect(query, Reason.NotGranted);
    }

    /// @notice In a rival, a request that expired or was cancelled still opens the gateway.
    function test_Check_PeriodBoundaries() external {
        _grant(exam, _plain());
        Query memory query = _query();
        query.time = NOW - 1;
        _expect(query, Reason.NotYetValid);
        query.time = NOW;
        _expectPermit(query, END);
        query.time = NOW + 1;
        _expectPermit(query, END);
        query.time = END - 1;
        _expectPermit(query, END);
        query.time = END;
        _expect(query, Reason.Expired);
        query.time = END + 1;
        _expect(query, Reason.Expired);
        query.time = type(uint256).max;
        _expect(query, Reason.Expired);
    }

    function test_Check_PurposeIsEnforced() external {
        _grant(exam, _terms(NOW, END, HRESCH, VIEW));
        _expect(_query(), Reason.PurposeNotGranted);
        Query memory query = _query();
        query.purpose = HRESCH;
        _expectPermit(query, END);
    }

    function test_Check_ActionIsEnforced() external {
        _grant(exam, _plain());
        Query memory query = _query();
        query.action = DOWNLOAD;
        _expect(query, Reason.ActionNotGranted);
    }

    function test_Check_ReasonsGoFromPeriodToPurposeToAction() external {
        _grant(exam, _plain());
        Query memory query = _query();
        (query.time, query.purpose, query.action) = (END, HRESCH, DOWNLOAD);
        _expect(query, Reason.Expired);
        query.time = NOW;
        _expect(query, Reason.PurposeNotGranted);
        query.purpose = TREAT;
        _expect(query, Reason.ActionNotGranted);
    }

    function test_Check_TwoGrantsNeverAddUp() external {
        _grant(series, _terms(NOW, END, TREAT, DOWNLOAD));
        _grant(exam, _terms(NOW, END, HRESCH, VIEW));
        _expect(_seriesQuery(), Reason.ActionNotGranted);

        Query memory query = _seriesQuery();
        (query.purpose, query.action) = (HRESCH, DOWNLOAD);
        _expect(query, Reason.PurposeNotGranted);
    }

    function test_Check_GrantingAgainReplacesRatherThanAdds() external {
        _grant(exam, _plain());
        _grant(exam, _terms(NOW, END, HRESCH, DOWNLOAD));
        _expect(_query(), Reason.PurposeNotGranted);
    }

    function test_Check_SeriesGrantOpensItsSeriesAlone() external {
        _grant(series, _plain());
        _expectPermit(_seriesQuery(), END);
        _expect(_query(), Reason.NotGranted);
        Query memory sibling = _seriesQuery();
        sibling.seriesCommitment = keccak256("sibling");
        _expect(sibling, Reason.NotGranted);
    }

    /// @notice A query that names no series is not one for the series whose commitment is zero.
    function test_Check_GrantOnTheSeriesOfNoCommitmentOpensNothing() external {
        _grant(Ids.series(examId, 0), _plain());
        _expect(_query(), Reason.NotGranted);
    }

    function test_Check_ExamGrantOpensEverySeries() external {
        _grant(exam, _plain());
        _expectPermit(_seriesQuery(), END);
    }

    function test_Check_RevokedSeriesDeniesWhatTheExamPermits() external {
        _grant(exam, _plain());
        _revoke(series);
        _expect(_seriesQuery(), Reason.Revoked);
        _expectPermit(_query(), END);
    }

    function test_Check_ExpiredSeriesGrantFallsBackToTheExam() external {
        _grant(series, _terms(NOW, NOW + 1, TREAT, VIEW));
        _grant(exam, _plain());
        VM.warp(NOW + 1);
        _expectPermit(_seriesQuery(), END);
    }

    function test_Check_SeriesGrantOutlivesARevokeOfTheExam() external {
        _grant(series, _plain());
        _revoke(exam);
        _expectPermit(_seriesQuery(), END);
        _expect(_query(), Reason.Revoked);
    }

    function test_Check_ReasonOfTheSeriesComesFirst() external {
        _grant(series, _terms(NOW, END, HRESCH, VIEW));
        _grant(exam, _terms(NOW + 1, END, TREAT, VIEW));
        _expect(_seriesQuery(), Reason.PurposeNotGranted);
    }

    function test_Check_ReasonOfTheExamStandsInForAnUngrantedSeries() external {
        _grant(exam, _terms(NOW + 1, END, TREAT, VIEW));
        _expect(_seriesQuery(), Reason.NotYetValid);
    }

    /// @notice In a rival, "revoke all" exists, but checks still answer yes afterwards.
    function test_Check_RevokeAllClosesEveryGrant() external {
        _grant(exam, _plain());
        _grant(series, _plain());
        VM.warp(NOW + 1);
        _revokeAll();
        _expect(_query(), Reason.Revoked);
        _expect(_seriesQuery(), Reason.Revoked);
        VM.warp(NOW + 1 days);
        _expect(_query(), Reason.Revoked);
    }

    function test_Check_GrantInTheSecondOfRevokeAllIsDead() external {
        _revokeAll();
        _grant(exam, _plain());
        _expect(_query(), Reason.Revoked);
        VM.warp(NOW + 1);
        _expect(_query(), Reason.Revoked);
    }

    function test_Check_IdenticalGrantAfterRevokeAllOpensAgain() external {
        _grant(exam, _plain());
        _revokeAll();
        VM.warp(NOW + 1);
        _grant(exam, _plain());
        _expectPermit(_query(), END);
    }

    function test_Check_SeriesGrantEndedByRevokeAllDoesNotShadowALaterExamGrant() external {
        _grant(series, _plain());
        _revokeAll();
        VM.warp(NOW + 1);
        _grant(exam, _plain());
        _expectPermit(_seriesQuery(), END);
    }

    function test_Check_RevokedSeriesStaysClosedAfterRevokeAllAndANewExamGrant() external {
        _revoke(series);
        _revokeAll();
        VM.warp(NOW + 1);
        _grant(exam, _plain());
        _expect(_seriesQuery(), Reason.Revoked);
    }

    function test_Check_RevokeAllOfOnePatientLeavesAnother() external {
        VM.prank(CUSTODIAN);
        ledger.register(CUSTODIAN, STRANGER, COMMITMENT, ROOT);
        _grant(exam, _plain());
        VM.prank(STRANGER);
        ledger.revokeAll(STRANGER);
        _expectPermit(_query(), END);
    }

    function test_Check_MalformedMasks() external {
        _grant(exam, _terms(NOW, END, type(uint32).max, type(uint16).max));
        Query memory query = _query();
        query.purpose = 0;
        _expect(query, Reason.MalformedQuery);
        query.purpose = TREAT | HRESCH;
        _expect(query, Reason.MalformedQuery);
        query.purpose = 1 << 32;
        _expect(query, Reason.MalformedQuery);
        query.purpose = 1 << 31;
        _expectPermit(query, END);
        query.action = 0;
        _expect(query, Reason.MalformedQuery);
        query.action = VIEW | DOWNLOAD;
        _expect(query, Reason.MalformedQuery);
        query.action = 1 << 16;
        _expect(query, Reason.MalformedQuery);
        query.action = 1 << 15;
        _expectPermit(query, END);
    }

    function test_Check_TheGreatestAddressIsWellFormed() external view {
        Query memory query = _query();
        query.reader = type(uint160).max;
        _expect(query, Reason.NotGranted);
    }

    function testFuzz_Check_DirtyAddressesAreMalformed(uint96 dirt) external {
        VM.assume(dirt != 0);
        _grant(exam, _plain());
        uint256 upper = uint256(dirt) << 160;
        Query memory query = _query();
        query.custodian |= upper;
        _expect(query, Reason.MalformedQuery);
        query = _query();
        query.patient |= upper;
        _expect(query, Reason.MalformedQuery);
        query = _query();
        query.reader |= upper;
        _expect(query, Reason.MalformedQuery);
    }

    function testFuzz_Check_NeverReverts(Query calldata query) external view {
        ledger.check(query);
    }

    /// @notice The same near a grant, where random words alone hardly lead.
    function testFuzz_Check_NeverRevertsNearAGrant(
        Query memory query,
        uint32 notBefore,
        uint32 length,
        uint256 known
    ) external {
        _grant(
            known & 128 == 0 ? series : exam,
            _terms(notBefore, uint256(notBefore) + length + 1, TREAT, VIEW)
        );
        Query memory near = _query();
        if (known & 1 == 0) query.custodian = near.custodian;
        if (known & 2 == 0) query.patient = near.patient;
        if (known & 4 == 0) query.commitment = near.commitment;
        if (known & 8 == 0) query.seriesCommitment = SERIES;
        if (known & 16 == 0) query.reader = near.reader;
        if (known & 32 == 0) query.purpose = 1 << (query.purpose % 256);
        if (known & 64 == 0) query.action = 1 << (query.action % 256);
        ledger.check(query);
    }

    /// @notice A permit means that one slot, alone, satisfies period, purpose and action.
    function testFuzz_Check_PermitsExactlyWhatTheTermsSay(
        uint40 notBefore,
        uint40 notAfter,
        uint32 purposes,
        uint16 actions,
        uint8 purpose,
        uint8 action,
        uint40 time
    ) external {
        VM.assume(notAfter > notBefore && purposes != 0 && actions != 0);
        _grant(exam, _terms(notBefore, notAfter, purposes, actions));
        Query memory query = _query();
        (query.purpose, query.action, query.time) = (1 << (purpose % 32), 1 << (action % 16), time);
        (Reason reason, uint256 validUntil) = ledger.check(query);

        bool satisfied =
            notBefore <= time &&
                time < notAfter &&
                purposes & query.purpose != 0 &&
                actions & query.action != 0;
        _true((reason == Reason.Permitted) == satisfied, "permitted just when satisfied");
        _equal(validUntil, satisfied ? notAfter : 0);
    }
}
