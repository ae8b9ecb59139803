// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title AnchorsModel
/// @notice A custodian's anchors: their ranges, and the places in the tree of each.
abstract contract AnchorsModel {
    uint256 internal constant WIDEST = 2 ** 32;

    uint256 public last;

    function _anchor(uint256 first, uint256 newLast) internal {
        require(first == last + 1 && newLast >= first && newLast - first < WIDEST);
        last = newLast;
    }

    /// @dev One level up a tree: the place there, how wide that level is, and whether the node comes with a sibling.
    function _up(uint256 position, uint256 width) internal pure returns (uint256, uint256, bool) {
        uint256 sibling = position % 2 == 0 ? position + 1 : position - 1;
        return (position / 2, (width + 1) / 2, sibling < width);
    }
}
