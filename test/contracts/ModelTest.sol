// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @title ModelTest
/// @notice A contract and a model of it, driven by the same acts: both do each, or neither does.
abstract contract ModelTest is Test {
    /// @dev How many acts a history has.
    uint256 internal constant ACTS = 24;

    /// @dev The next choice that a random word holds, below `count`, and what is left of the word.
    function _choose(uint256 word, uint256 count) internal pure returns (uint256 choice, uint256 rest) {
        return (word % count, word / count);
    }

    /// @dev Sends the model's act, which fails just when the contract's did.
    function _model(address host, bytes memory act, bool expected) internal returns (bytes memory answer) {
        bool done;
        // solhint-disable-next-line avoid-low-level-calls
        (done, answer) = host.call(act);
        _true(done == expected, "the model does what the contract does");
    }

    /// @dev Sends an act to the contract, as `sender`.
    function _act(address sender, address target, bytes memory act) internal returns (bool done) {
        VM.prank(sender);
        // solhint-disable-next-line avoid-low-level-calls
        (done, ) = target.call(act);
    }
}
