// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GrantSlot, GrantSlotLib} from "../../contracts/types/GrantSlot.sol";
import {PatientSlot} from "../../contracts/types/PatientSlot.sol";
import {Terms} from "../../contracts/types/Terms.sol";

/// @title SlotsProof
/// @notice What is packed into a word comes back as it was, and nothing spills: for every word, as long as no counter is
/// full. Times are before 2^40, the year 36812.
contract SlotsProof {
    function termsComeBack(uint40 notBefore, uint40 notAfter, uint32 purposes, uint16 actions) external pure {
        uint256 word =
            uint256(notBefore) +
                uint256(notAfter) * 2 ** 40 +
                uint256(purposes) * 2 ** 80 +
                uint256(actions) * 2 ** 112;
        Terms terms = Terms.wrap(word);
        assert(terms.notBefore() == notBefore);
        assert(terms.notAfter() == notAfter);
        assert(terms.purposes() == purposes);
        assert(terms.actions() == actions);
        assert(Terms.unwrap(terms) >> 128 == 0);
    }

    function grantComesBack(GrantSlot before, uint128 terms, uint40 time) external pure {
        require(before.nonce() < type(uint80).max);
        GrantSlot slot = before.then(GrantSlotLib.granting(Terms.wrap(terms), time));
        assert(slot.nonce() == before.nonce() + 1);
        assert(!slot.isRevoked());
        assert(slot.grantedAt() == time);
        assert(Terms.unwrap(slot.terms()) == terms);
    }

    function revokeLeavesTheNonceAlone(GrantSlot before) external pure {
        require(before.nonce() < type(uint80).max);
        GrantSlot slot = before.then(GrantSlotLib.revoking());
        assert(slot.nonce() == before.nonce() + 1);
        assert(slot.isRevoked());
        assert(slot.grantedAt() == 0);
        assert(Terms.unwrap(slot.terms()) == 0);
    }

    function revokeAllStampsAndCounts(PatientSlot before, uint40 time) external pure {
        require(before.epoch() < type(uint88).max && before.revocations() < type(uint64).max);
        require(PatientSlot.unwrap(before) < 2 ** 192);
        PatientSlot slot = before.afterRevokeAll(time);
        assert(slot.revokedAllAt() == time);
        assert(slot.epoch() == before.epoch() + 1);
        assert(slot.revocations() == before.revocations() + 1);
    }

    function departureCountsTheEpochAlone(PatientSlot before) external pure {
        require(before.epoch() < type(uint88).max);
        require(PatientSlot.unwrap(before) < 2 ** 192);
        PatientSlot slot = before.afterDeparture();
        assert(slot.revokedAllAt() == before.revokedAllAt());
        assert(slot.epoch() == before.epoch() + 1);
        assert(slot.revocations() == before.revocations());
    }
}
