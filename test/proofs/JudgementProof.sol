// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Query, Reason} from "../../contracts/interfaces/IConsentLedger.sol";
import {Judgement} from "../../contracts/libraries/Judgement.sol";
import {GrantSlot} from "../../contracts/types/GrantSlot.sol";

/// @title JudgementProof
/// @notice What a slot says, for every word, every query and every time: the first condition that fails is the reason, and
/// only where none fails it permits.
contract JudgementProof {
    using Judgement for GrantSlot;

    function reasonIsTheFirstThatFails(
        GrantSlot slot,
        uint256 deadSince,
        Query calldata query
    ) external pure {
        bool written = slot.nonce() != 0;
        bool alive = written && !slot.isRevoked() && slot.grantedAt() > deadSince;
        bool begun = alive && slot.terms().notBefore() <= query.time;
        bool current = begun && query.time < slot.terms().notAfter();
        bool forPurpose = current && slot.terms().purposes() & query.purpose != 0;
        bool satisfied = forPurpose && slot.terms().actions() & query.action != 0;

        Reason reason = slot.judge(deadSince, query);
        assert((reason == Reason.NotGranted) == !written);
        assert((reason == Reason.Revoked) == (written && !alive));
        assert((reason == Reason.NotYetValid) == (alive && !begun));
        assert((reason == Reason.Expired) == (begun && !current));
        assert((reason == Reason.PurposeNotGranted) == (current && !forPurpose));
        assert((reason == Reason.ActionNotGranted) == (forPurpose && !satisfied));
        assert((reason == Reason.Permitted) == satisfied);
    }
}
