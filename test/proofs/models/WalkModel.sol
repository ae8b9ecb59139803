// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reason} from "../../../contracts/interfaces/IConsentLedger.sol";

/// @title WalkModel
/// @notice How `check` walks from the narrowest slot to the widest, given what each says for itself. In steps, not in a
/// loop: that is what the prover can follow.
library WalkModel {
    /// @dev What `judge` says of a slot; a series that is not asked for was never granted.
    struct Judged {
        Reason reason;
        bool revoked;
        uint256 notAfter;
    }

    struct Walk {
        Reason reason;
        uint256 validUntil;
        bool over;
    }

    function decide(
        Judged memory series,
        Judged memory exam,
        Judged memory custodian,
        Judged memory all
    ) internal pure returns (Reason, uint256) {
        Walk memory walk = Walk(Reason.NotGranted, 0, false);
        walk = _step(walk, series);
        walk = _step(walk, exam);
        walk = _step(walk, custodian);
        walk = _step(walk, all);
        return (walk.reason, walk.validUntil);
    }

    function _step(Walk memory walk, Judged memory slot) private pure returns (Walk memory) {
        if (walk.over) return walk;
        if (slot.reason == Reason.Permitted) return Walk(slot.reason, slot.notAfter, true);
        return Walk(walk.reason == Reason.NotGranted ? slot.reason : walk.reason, 0, slot.revoked);
    }
}
