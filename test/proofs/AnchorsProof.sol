// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AnchorsModel} from "./models/AnchorsModel.sol";

/// @title AnchorsProof
/// @notice Whatever a custodian anchors, each sequence number is under exactly one anchor, or not yet under any; and the way up a
/// tree stays inside it.
contract AnchorsProof is AnchorsModel {
    /// @dev Any one sequence number, and under how many anchors it is.
    uint256 private immutable _SEQUENCE;
    uint256 private _anchors;

    constructor(uint256 sequence) {
        _SEQUENCE = sequence;
    }

    function anchor(uint256 first, uint256 newLast) external {
        uint256 before = last;
        _anchor(first, newLast);
        assert(before < last && last <= before + WIDEST);
        if (first <= _SEQUENCE && _SEQUENCE <= newLast) ++_anchors;
    }

    function gapless() external view {
        assert(_anchors <= 1);
        assert((_anchors == 1) == (1 <= _SEQUENCE && _SEQUENCE <= last));
    }

    function path(uint256 position, uint256 width, uint256 siblings) external pure {
        require(position < width && width <= WIDEST);
        uint256 used = 0;
        while (width > 1) {
            assert(position < width);
            uint256 below = width;
            bool paired;
            (position, width, paired) = _up(position, width);
            assert(width < below);
            if (paired) {
                if (used == siblings) return;
                ++used;
            }
            assert(used <= siblings);
        }
        assert(position == 0 && width == 1);
    }
}
