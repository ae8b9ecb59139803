// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessLog} from "../../contracts/AccessLog.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {AnchorsModel} from "../proofs/models/AnchorsModel.sol";
import {Deploy} from "./Deploy.sol";
import {ModelTest} from "./ModelTest.sol";

/// @title AnchorsModelHost
/// @notice The model's act, for whoever calls, and where its way up a tree leads.
contract AnchorsModelHost is AnchorsModel {
    function anchor(uint256 first, uint256 newLast) external {
        _anchor(first, newLast);
    }

    /// @notice The root above a leaf, and how many of `siblings` it took.
    function climb(
        bytes32 node,
        uint256 position,
        uint256 width,
        bytes32[] calldata siblings
    ) external pure returns (bytes32 root, uint256 used) {
        root = node;
        while (width > 1) {
            bool isLeft = position % 2 == 0;
            bool paired;
            (position, width, paired) = _up(position, width);
            if (!paired) continue;
            bytes32 sibling = siblings[used];
            root = isLeft ? Ids.receiptNode(root, sibling) : Ids.receiptNode(sibling, root);
            ++used;
        }
    }
}

/// @title AnchorsModelTest
/// @notice What `AnchorsProof` proves of the model is so for the access log, as far as any history and any tree show.
contract AnchorsModelTest is ModelTest {
    address private constant CUSTODIAN = address(0xC057);
    uint256 private constant WIDEST = 1 << 32;

    AccessLog private _log;
    AnchorsModelHost private _host;

    function setUp() external {
        _log = Deploy.accessLog(Deploy.ledger());
        _host = new AnchorsModelHost();
    }

    function testFuzz_AnchorsModel_DoesWhatTheAccessLogDoes(uint256[ACTS] calldata history) external {
        for (uint256 i = 0; i < ACTS; ++i) {
            (uint256 early, uint256 word) = _choose(history[i], 4);
            (uint256 length, uint256 rest) = _choose(word, 5);
            // As wide as an anchor may be now and then, or one more, or one less.
            if (rest % 4 == 0) length = WIDEST - 1 + (word % 3);
            uint64 first = uint64(_host.last() + (early == 0 ? word % 3 : 1));
            uint64 last = first + uint64(length);
            if (last != 0) --last;
            bytes memory act = abi.encodeCall(AccessLog.anchor, (CUSTODIAN, keccak256("root"), first, last));
            bool done = _act(CUSTODIAN, address(_log), act);
            _model(address(_host), abi.encodeCall(AnchorsModelHost.anchor, (first, last)), done);
            _equal(_log.nextSequence(CUSTODIAN), _host.last() + 1);
        }
    }

    /// @notice A tree of any width, up to the widest: whatever the model's way up leads to is the root that proves the receipt, with
    /// so many siblings, no fewer and no more.
    function testFuzz_AnchorsModel_ClimbsAsTheAccessLogDoes(
        uint256 shape,
        bytes32 receipt,
        bytes32[32] calldata siblings,
        uint256 length
    ) external {
        uint256 width = 1 + (uint256(uint32(shape)) >> ((shape >> 32) % 32));
        uint256 position = (shape >> 64) % width;
        uint64 sequence = uint64(1 + position);
        (bytes32 root, uint256 used) = _host.climb(
            Ids.receipt(sequence, receipt),
            position,
            width,
            _first(siblings, 32)
        );
        VM.prank(CUSTODIAN);
        _log.anchor(CUSTODIAN, root, 1, uint64(width));
        bytes32[] memory proof = _first(siblings, used);
        _true(_log.verify(CUSTODIAN, 0, sequence, receipt, proof), "proven");
        proof = _first(siblings, length % 33);
        _true(_log.verify(CUSTODIAN, 0, sequence, receipt, proof) == (length % 33 == used), "by these alone");
    }

    function _first(
        bytes32[32] calldata siblings,
        uint256 length
    ) private pure returns (bytes32[] memory some) {
        some = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) some[i] = siblings[i];
    }
}
