// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reason} from "../../contracts/interfaces/IConsentLedger.sol";
import {WalkModel} from "./models/WalkModel.sol";

/// @title WalkProof
/// @notice `check` permits just when one slot permits, alone, and no narrower one was revoked.
contract WalkProof {
    function permitsByOneSlotAlone(
        WalkModel.Judged memory series,
        WalkModel.Judged memory exam,
        WalkModel.Judged memory custodian,
        WalkModel.Judged memory all,
        uint256 time
    ) external pure {
        (Reason reason, uint256 validUntil) = WalkModel.decide(series, exam, custodian, all);
        bool bySeries = _permits(series, time);
        bool byExam = _permits(exam, time) && !series.revoked;
        bool byCustodian = _permits(custodian, time) && !series.revoked && !exam.revoked;
        bool byAll = _permits(all, time) && !series.revoked && !exam.revoked && !custodian.revoked;
        assert((reason == Reason.Permitted) == (bySeries || byExam || byCustodian || byAll));
        assert(reason != Reason.Permitted || validUntil > time);
        assert(reason == Reason.Permitted || validUntil == 0);
    }

    /// @dev `JudgementProof` shows what is required here.
    function _permits(WalkModel.Judged memory slot, uint256 time) private pure returns (bool permitted) {
        permitted = slot.reason == Reason.Permitted;
        require(!permitted || (!slot.revoked && slot.notAfter > time));
    }
}
