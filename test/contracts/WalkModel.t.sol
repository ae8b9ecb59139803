// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Grant, Query, Reason, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Judgement} from "../../contracts/libraries/Judgement.sol";
import {GrantSlot} from "../../contracts/types/GrantSlot.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {WalkModel} from "../proofs/models/WalkModel.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title WalkModelTest
/// @notice What `WalkProof` proves of the model is so for `check`, as far as any grants and revokes show.
contract WalkModelTest is LedgerTest {
    using Judgement for GrantSlot;

    /// @dev From the narrowest to the widest.
    Resource[4] private _resources;

    function setUp() public override {
        super.setUp();
        _resources = [series, exam, Ids.examsAt(CUSTODIAN), Ids.allExams()];
    }

    /// @notice Each slot is granted, revoked or left alone; in between, all may be revoked and the exam handed away and back.
    function testFuzz_WalkModel_DoesWhatTheLedgerDoes(
        uint256[8] calldata acts,
        bool ofSeries,
        uint256 asked
    ) external {
        for (uint256 i = 0; i < 8; ++i) {
            if (acts[i] % 16 == 0) _revokeAll();
            else if (acts[i] % 16 == 1) _handOverAndBack();
            else _write(_resources[(acts[i] >> 4) % 4], acts[i] >> 8);
            VM.warp(block.timestamp + ((acts[i] >> 6) % 2));
        }
        Query memory query = ofSeries ? _seriesQuery() : _query();
        (query.purpose, query.action) = (asked % 4 == 0 ? HRESCH : TREAT, asked & 4 == 0 ? DOWNLOAD : VIEW);
        (Reason reason, uint256 validUntil) = ledger.check(query);
        (Reason modelled, uint256 modelledUntil) = _modelled(query);
        _equal(uint256(reason), uint256(modelled));
        _equal(validUntil, modelledUntil);
    }

    function judged(
        GrantSlot slot,
        uint256 deadSince,
        Query calldata query
    ) external pure returns (WalkModel.Judged memory) {
        Reason reason = slot.judge(deadSince, query);
        return WalkModel.Judged(reason, slot.isRevoked(), slot.terms().notAfter());
    }

    function _modelled(Query memory query) private view returns (Reason, uint256) {
        uint256 wide = ledger.patientOf(PATIENT).revokedAllAt;
        uint256 ownedSince = ledger.pointerOf(examId).ownedSince;
        WalkModel.Judged memory unasked = WalkModel.Judged(Reason.NotGranted, false, 0);
        uint256 narrow = ownedSince > wide ? ownedSince : wide;
        return
            WalkModel.decide(
                query.seriesCommitment == 0 ? unasked : _judged(0, narrow, query),
                _judged(1, narrow, query),
                _judged(2, wide, query),
                _judged(3, wide, query)
            );
    }

    function _judged(
        uint256 i,
        uint256 deadSince,
        Query memory query
    ) private view returns (WalkModel.Judged memory) {
        Grant memory kept = ledger.grantOf(PATIENT, _resources[i], _grantee(READER));
        uint256 word = (uint256(kept.nonce) << 176) | (uint256(kept.grantedAt) << 128);
        word |= (kept.revoked ? 1 << 168 : 0) | Terms.unwrap(kept.terms);
        return this.judged(GrantSlot.wrap(word), deadSince, query);
    }

    function _write(Resource resource, uint256 word) private {
        if (word % 4 == 0) {
            _revoke(resource);
            return;
        }
        uint256 notBefore = NOW + ((word >> 2) % 8);
        uint256 notAfter = notBefore + 1 + ((word >> 5) % 32);
        _grant(
            resource,
            _terms(notBefore, notAfter, word & 1024 == 0 ? TREAT : HRESCH, 1 + ((word >> 11) % 3))
        );
    }

    function _handOverAndBack() private {
        VM.warp(block.timestamp + 1);
        VM.prank(PATIENT);
        ledger.handOver(examId, STRANGER);
        VM.prank(STRANGER);
        ledger.accept(examId);
        VM.prank(STRANGER);
        ledger.handOver(examId, PATIENT);
        VM.prank(PATIENT);
        ledger.accept(examId);
    }
}
