// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title AnchorsModel
/// @notice A custodian's anchors: the ranges alone.
abstract contract AnchorsModel {
    uint256 public last;

    function _anchor(uint256 first, uint256 newLast) internal {
        require(first == last + 1 && newLast >= first);
        last = newLast;
    }
}
