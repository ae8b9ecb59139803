// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {Terms} from "./Terms.sol";

/// @notice Everything that is kept of a grant, in one word.
///
/// ```
/// bit 255      176 175     168 167          128 127                   0
///     +-----------+-----------+----------------+-----------------------+
///     |  nonce 80 | revoked 8 |  grantedAt 40  |       terms 128       |
///     +-----------+-----------+----------------+-----------------------+
/// ```
///
/// A word of zero was never written. A revoked one holds its nonce, and nothing of what was granted.
type GrantSlot is uint256;

using GrantSlotLib for GrantSlot global;

/// @title GrantSlotLib
/// @notice What a slot holds, and what it becomes.
library GrantSlotLib {
    uint256 private constant _REVOKED = 1 << 168;

    /// @notice What a grant at `time` writes, but for the nonce.
    /// @dev Warning: to be written, `newTerms` must be well formed; bits above its fields would spill into the slot's own. To be
    /// compared by `holds`, any will do.
    function granting(Terms newTerms, uint256 time) internal pure returns (GrantSlot) {
        return GrantSlot.wrap((uint256(uint40(time)) << 128) | Terms.unwrap(newTerms));
    }

    /// @notice What a revoke writes, but for the nonce.
    function revoking() internal pure returns (GrantSlot) {
        return GrantSlot.wrap(_REVOKED);
    }

    /// @notice The slot after an act, as `granting` or `revoking` gives it. 80 bits of nonce outlast any chain.
    function then(GrantSlot slot, GrantSlot act) internal pure returns (GrantSlot) {
        unchecked {
            return GrantSlot.wrap((((GrantSlot.unwrap(slot) >> 176) + 1) << 176) | GrantSlot.unwrap(act));
        }
    }

    /// @notice Whether the slot holds what this act wrote: the same terms, or a revoke, whenever that was.
    function holds(GrantSlot slot, GrantSlot act) internal pure returns (bool) {
        return Terms.unwrap(terms(slot)) == Terms.unwrap(terms(act)) && isRevoked(slot) == isRevoked(act);
    }

    /// @notice The terms; zero if none are granted.
    function terms(GrantSlot slot) internal pure returns (Terms) {
        return Terms.wrap(uint128(GrantSlot.unwrap(slot)));
    }

    /// @notice When the terms were granted; zero if none are.
    function grantedAt(GrantSlot slot) internal pure returns (uint40) {
        return uint40(GrantSlot.unwrap(slot) >> 128);
    }

    /// @notice Whether the last act was a revoke.
    function isRevoked(GrantSlot slot) internal pure returns (bool) {
        return GrantSlot.unwrap(slot) & _REVOKED != 0;
    }

    /// @notice How often the slot was written; zero if never.
    function nonce(GrantSlot slot) internal pure returns (uint256) {
        return GrantSlot.unwrap(slot) >> 176;
    }
}
