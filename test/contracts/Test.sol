// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The cheatcodes that the tests use.
interface Vm {
    function warp(uint256 time) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function assume(bool condition) external pure;
    function expectRevert(bytes calldata reason) external;
    function expectEmit(address emitter) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function chainId(uint256 id) external;
    function getCode(string calldata artifact) external view returns (bytes memory creationCode);
}

/// @dev The test runner.
Vm constant RUNNER = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @title Test
/// @notice Base of the tests in Solidity.
abstract contract Test {
    Vm internal constant VM = RUNNER;

    address[] private _targets;

    error NotEqual(uint256 actual, uint256 expected);
    error NotTrue(string what);

    /// @notice What an invariant run calls.
    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    function _target(address target) internal {
        _targets.push(target);
    }

    function _equal(uint256 actual, uint256 expected) internal pure {
        if (actual != expected) revert NotEqual(actual, expected);
    }

    function _equal(bytes32 actual, bytes32 expected) internal pure {
        _equal(uint256(actual), uint256(expected));
    }

    function _equal(address actual, address expected) internal pure {
        _equal(uint160(actual), uint160(expected));
    }

    function _true(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function _between(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + (value % (most - least + 1));
    }
}
