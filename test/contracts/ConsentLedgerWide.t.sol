// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Query, Reason, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerWideTest
/// @notice Grants on all exams, at one custodian or at any, what narrower slots say to them, and blinded grantees.
contract ConsentLedgerWideTest is LedgerTest {
    address private constant ELSEWHERE = address(0xC058);
    bytes32 private constant SALT = keccak256("salt");

    Resource private _atCustodian;
    Resource private _all;

    function setUp() public override {
        super.setUp();
        VM.prank(ELSEWHERE);
        ledger.register(ELSEWHERE, PATIENT, COMMITMENT, ROOT);
        (_atCustodian, _all) = (Ids.examsAt(CUSTODIAN), Ids.allExams());
    }

    function test_ExamsAtOneCustodian_OpensThoseAlone() external {
        _grant(_atCustodian, _plain());
        _expectPermit(_query(), END);
        _expectPermit(_seriesQuery(), END);
        _expect(_elsewhere(), Reason.NotGranted);
    }

    function test_ExamsAtOneCustodian_OpensLaterExams() external {
        _grant(_atCustodian, _plain());
        VM.warp(NOW + 1 days);
        _register(PATIENT, keccak256("later"));
        Query memory query = _query();
        query.commitment = keccak256("later");
        _expectPermit(query, END);
    }

    function test_AllExams_OpensEveryCustodians() external {
        _grant(_all, _plain());
        _expectPermit(_query(), END);
        _expectPermit(_seriesQuery(), END);
        _expectPermit(_elsewhere(), END);
    }

    function test_AllExams_OfOnePatientAlone() external {
        _register(STRANGER, COMMITMENT);
        _grant(_all, _plain());
        Query memory query = _query();
        query.patient = uint160(STRANGER);
        _expect(query, Reason.NotGranted);
    }

    function test_ARevokedExamStaysClosedUnderAWiderGrant() external {
        _grant(_all, _plain());
        _revoke(exam);
        _expect(_query(), Reason.Revoked);
        _expect(_seriesQuery(), Reason.Revoked);
        _expectPermit(_elsewhere(), END);

        _grant(_atCustodian, _plain());
        _expect(_query(), Reason.Revoked);
    }

    function test_ARevokedCustodianStaysClosedUnderAllExams() external {
        _grant(_all, _plain());
        _revoke(_atCustodian);
        _expect(_query(), Reason.Revoked);
        _expectPermit(_elsewhere(), END);
    }

    function test_ANarrowerGrantOpensWhatAWiderRevokeClosed() external {
        _grant(exam, _plain());
        _revoke(_atCustodian);
        _revoke(_all);
        _expectPermit(_query(), END);
    }

    function test_AnExpiredNarrowerGrantFallsBackToEachWiderOne() external {
        _grant(series, _terms(NOW, NOW + 1, TREAT, VIEW));
        _grant(exam, _terms(NOW, NOW + 1, TREAT, VIEW));
        _grant(_atCustodian, _terms(NOW, NOW + 1, TREAT, VIEW));
        _grant(_all, _plain());
        VM.warp(NOW + 1);
        _expectPermit(_seriesQuery(), END);
        _expectPermit(_query(), END);
    }

    function test_GrantsOfFourWidthsNeverAddUp() external {
        _grant(series, _terms(NOW, END, TREAT, DOWNLOAD));
        _grant(exam, _terms(NOW, END, HRESCH, VIEW));
        _grant(_atCustodian, _terms(NOW + 1, END, TREAT, VIEW));
        _grant(_all, _terms(NOW - 1, NOW, TREAT, VIEW));
        _expect(_seriesQuery(), Reason.ActionNotGranted);
        _expect(_query(), Reason.PurposeNotGranted);
        _expect(_elsewhere(), Reason.Expired);
        VM.warp(NOW + 1);
        _expectPermit(_seriesQuery(), END);
    }

    function test_TheReasonIsThatOfTheNarrowestSlotEverWritten() external {
        _grant(_all, _terms(NOW, END, HRESCH, VIEW));
        _expect(_seriesQuery(), Reason.PurposeNotGranted);
        _grant(_atCustodian, _terms(NOW + 1, END, TREAT, VIEW));
        _expect(_seriesQuery(), Reason.NotYetValid);
        _grant(exam, _terms(NOW, END, TREAT, DOWNLOAD));
        _expect(_seriesQuery(), Reason.ActionNotGranted);
        _grant(series, _terms(NOW - 1, NOW, TREAT, VIEW));
        _expect(_seriesQuery(), Reason.Expired);
        _expect(_query(), Reason.ActionNotGranted);
    }

    function test_RevokeAllClosesEveryWidth() external {
        Resource[4] memory resources = [series, exam, _atCustodian, _all];
        for (uint256 i = 0; i < resources.length; ++i) {
            _grant(resources[i], _plain());
            _expectPermit(_seriesQuery(), END);
            _revokeAll();
            VM.warp(NOW + 1 + i);
            _expect(_seriesQuery(), Reason.Revoked);
        }
    }

    function test_ABlindedGranteeIsAskedForWithTheirSalt() external {
        _grantBlinded(exam);
        _expect(_query(), Reason.NotGranted);
        Query memory query = _query();
        query.granteeSalt = SALT;
        _expectPermit(query, END);
        query.granteeSalt = keccak256("another salt");
        _expect(query, Reason.NotGranted);
        query.granteeSalt = SALT;
        query.reader = uint160(STRANGER);
        _expect(query, Reason.NotGranted);
    }

    function test_ABlindedGranteeIsJudgedAtEveryWidth() external {
        Query memory query = _seriesQuery();
        query.granteeSalt = SALT;
        Resource[4] memory resources = [_all, _atCustodian, exam, series];
        for (uint256 i = 0; i < resources.length; ++i) {
            _expect(query, i == 0 ? Reason.NotGranted : Reason.Revoked);
            _grantBlinded(resources[i]);
            _expectPermit(query, END);
            VM.prank(PATIENT);
            ledger.revoke(resources[i], Ids.blinded(READER, SALT));
            _expect(query, Reason.Revoked);
        }
    }

    /// @notice A blinded name that happened to look like an address would be asked for as one by nobody but its reader.
    function testFuzz_ABlindedGrantOpensNothingToAnybodyElse(address reader, bytes32 salt) external {
        VM.assume(reader != PATIENT && !(reader == READER && salt == SALT));
        _grantBlinded(exam);
        Query memory query = _query();
        (query.reader, query.granteeSalt) = (uint160(reader), salt);
        _expect(query, Reason.NotGranted);
    }

    function _grantBlinded(Resource resource) private {
        VM.prank(PATIENT);
        ledger.grant(resource, Ids.blinded(READER, SALT), _plain());
    }

    function _elsewhere() private view returns (Query memory query) {
        query = _query();
        query.custodian = uint160(ELSEWHERE);
    }
}
