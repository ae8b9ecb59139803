// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessLog} from "../../contracts/AccessLog.sol";
import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {Anchor, IAccessLog} from "../../contracts/interfaces/IAccessLog.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Deploy} from "./Deploy.sol";
import {Test} from "./Test.sol";

/// @title AccessLogTest
/// @notice Anchors without gap, overlap or rewrite, and what proves a receipt.
contract AccessLogTest is Test {
    uint256 private constant NOW = 1_800_000_000;
    uint64 private constant LATEST = type(uint64).max;
    uint64 private constant WIDEST = 1 << 32;
    address private constant CUSTODIAN = address(0xC057);
    address private constant OPERATOR = address(0x09E7);
    address private constant STRANGER = address(0x5742);
    bytes32 private constant ROOT = keccak256("root");

    ConsentLedger private _ledger;
    AccessLog private _log;

    function setUp() external {
        VM.warp(NOW);
        _ledger = Deploy.ledger();
        _log = Deploy.accessLog(_ledger);
        VM.prank(CUSTODIAN);
        _ledger.setOperator(OPERATOR, true);
    }

    function test_RevertWhen_ThereIsNoSuchAnchor() external {
        VM.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x32));
        _log.anchorOf(CUSTODIAN, 0);
    }

    function test_Anchor_KeepsWhatComesNext() external {
        _equal(address(_log.LEDGER()), address(_ledger));
        _equal(_log.nextSequence(CUSTODIAN), 1);
        _equal(_log.anchorCount(CUSTODIAN), 0);

        VM.expectEmit(address(_log));
        emit IAccessLog.Anchored(CUSTODIAN, 0, ROOT, 1, 7);
        _equal(_anchorBy(OPERATOR, 1, 7), 0);
        VM.warp(NOW + 1);
        VM.expectEmit(address(_log));
        emit IAccessLog.Anchored(CUSTODIAN, 1, ROOT, 8, 8);
        _equal(_anchorBy(CUSTODIAN, 8, 8), 1);

        _equal(_log.nextSequence(CUSTODIAN), 9);
        _equal(_log.anchorCount(CUSTODIAN), 2);
        _expectAnchor(0, 1, 7, NOW);
        _expectAnchor(1, 8, 8, NOW + 1);
    }

    function test_Anchor_OfEachCustodianByItself() external {
        _anchorBy(CUSTODIAN, 1, 7);
        VM.prank(STRANGER);
        _log.anchor(STRANGER, ROOT, 1, 1);
        _equal(_log.nextSequence(CUSTODIAN), 8);
        _equal(_log.nextSequence(STRANGER), 2);
    }

    function test_RevertWhen_AnchorLeavesAGap_OverlapsOrRewrites() external {
        _expectNotContiguous(2, 1);
        _anchorBy(CUSTODIAN, 2, 7);
        _expectNotContiguous(0, 1);
        _anchorBy(CUSTODIAN, 0, 7);
        _anchorBy(CUSTODIAN, 1, 7);
        uint64[4] memory wrong = [1, 7, 9, LATEST];
        for (uint256 i = 0; i < wrong.length; ++i) {
            _expectNotContiguous(wrong[i], 8);
            _anchorBy(CUSTODIAN, wrong[i], LATEST);
        }
    }

    function test_RevertWhen_AnchorCoversNothing() external {
        _expectOutOfBounds(1, 0);
        _anchorBy(CUSTODIAN, 1, 0);
        _anchorBy(CUSTODIAN, 1, 7);
        _expectOutOfBounds(8, 7);
        _anchorBy(CUSTODIAN, 8, 7);
    }

    /// @notice A stolen key must not be able to leave the custodian without numbers.
    function test_RevertWhen_AnchorCoversTooMuch() external {
        _expectOutOfBounds(1, LATEST);
        _anchorBy(CUSTODIAN, 1, LATEST);
        _expectOutOfBounds(1, WIDEST + 1);
        _anchorBy(CUSTODIAN, 1, WIDEST + 1);
        _anchorBy(CUSTODIAN, 1, WIDEST);
        _equal(_log.nextSequence(CUSTODIAN), uint256(WIDEST) + 1);
    }

    function testFuzz_RevertWhen_AnchoredByAnybodyElse(address sender) external {
        VM.assume(sender != CUSTODIAN && sender != OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(IAccessLog.AccessLogNotOperator.selector, CUSTODIAN, sender));
        _anchorBy(sender, 1, 7);
    }

    function test_RevertWhen_AnchoredByAFormerOperator() external {
        VM.prank(CUSTODIAN);
        _ledger.setOperator(OPERATOR, false);
        VM.expectRevert(
            abi.encodeWithSelector(IAccessLog.AccessLogNotOperator.selector, CUSTODIAN, OPERATOR)
        );
        _anchorBy(OPERATOR, 1, 7);
    }

    /// @notice Every receipt of a run proves itself, at its own number and at no other, whatever the run's length.
    function testFuzz_Verify_EachReceiptAtItsOwnNumber(uint64 before, uint256 size, uint256 seed) external {
        before = uint64(_between(before, 0, WIDEST));
        size = _between(size, 1, 40);
        bytes32[] memory leaves = _leaves(before + 1, size, seed);
        _anchorRun(before, size, _rootOf(leaves));

        for (uint64 i = 0; i < size; ++i) {
            bytes32[] memory proof = _proofOf(leaves, i);
            for (uint64 j = 0; j < size; ++j) {
                bool proven = _verify(before + 1 + j, keccak256(abi.encode(seed, i)), proof);
                _true(proven == (i == j), "proves its own place, and no other");
            }
            _true(!_verify(before + 1 + i, keccak256("forged"), proof), "another receipt");
        }
    }

    function test_Verify_TakesAProofOfTheRightLengthAlone() external {
        bytes32[] memory leaves = _leaves(1, 5, 0);
        _anchorRun(0, 5, _rootOf(leaves));
        bytes32 receipt = keccak256(abi.encode(uint256(0), uint256(4)));
        bytes32[] memory proof = _proofOf(leaves, 4);
        _equal(proof.length, 1);
        _true(_verify(5, receipt, proof), "exact");
        _true(!_verify(5, receipt, new bytes32[](0)), "too short");
        bytes32[] memory longer = new bytes32[](2);
        longer[0] = proof[0];
        _true(!_verify(5, receipt, longer), "too long");
    }

    function test_Verify_OutsideOfWhatIsAnchoredIsFalse() external {
        bytes32[] memory leaves = _leaves(1, 2, 0);
        bytes32[] memory proof = _proofOf(leaves, 0);
        bytes32 receipt = keccak256(abi.encode(uint256(0), uint256(0)));
        _true(!_log.verify(CUSTODIAN, 0, 1, receipt, proof), "nothing is anchored");
        _anchorRun(0, 2, _rootOf(leaves));
        _true(_log.verify(CUSTODIAN, 0, 1, receipt, proof), "anchored");
        _true(!_log.verify(CUSTODIAN, 1, 1, receipt, proof), "another anchor");
        _true(!_log.verify(STRANGER, 0, 1, receipt, proof), "another custodian");
        _true(!_log.verify(CUSTODIAN, 0, 0, receipt, proof), "a number before");
        _true(!_log.verify(CUSTODIAN, 0, 3, receipt, proof), "a number after");
    }

    /// @notice A custodian may anchor any root, also one over receipts that the run does not cover.
    function test_Verify_ARootOverNumbersBeyondItsRunProvesThemNot() external {
        bytes32 receipt = keccak256("receipt");
        _anchorRun(0, 1, Ids.receipt(2, receipt));
        _true(!_verify(2, receipt, new bytes32[](0)), "a number after");
    }

    function testFuzz_Verify_NeverReverts(
        address custodian,
        uint256 index,
        uint64 sequence,
        bytes32 receipt,
        bytes32[] calldata proof,
        uint64 last
    ) external {
        _anchorBy(CUSTODIAN, 1, uint64(_between(last, 1, WIDEST)));
        _true(!_log.verify(custodian, index, sequence, receipt, proof), "random");
        _true(!_log.verify(CUSTODIAN, 0, sequence, receipt, proof), "random");
    }

    function _anchorBy(address sender, uint64 first, uint64 last) private returns (uint256) {
        VM.prank(sender);
        return _log.anchor(CUSTODIAN, ROOT, first, last);
    }

    /// @dev The run after as many receipts as `before`, which another anchor covers if there are any.
    function _anchorRun(uint64 before, uint256 size, bytes32 root) private {
        if (before > 0) _anchorBy(CUSTODIAN, 1, before);
        VM.prank(CUSTODIAN);
        _log.anchor(CUSTODIAN, root, before + 1, before + uint64(size));
    }

    function _verify(uint64 sequence, bytes32 receipt, bytes32[] memory proof) private view returns (bool) {
        return _log.verify(CUSTODIAN, _log.anchorCount(CUSTODIAN) - 1, sequence, receipt, proof);
    }

    function _leaves(
        uint64 first,
        uint256 size,
        uint256 seed
    ) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint64 i = 0; i < size; ++i) {
            leaves[i] = Ids.receipt(first + i, keccak256(abi.encode(seed, i)));
        }
    }

    function _above(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool alone = 2 * i + 1 == level.length;
            above[i] = alone ? level[2 * i] : Ids.receiptNode(level[2 * i], level[2 * i + 1]);
        }
    }

    function _rootOf(bytes32[] memory level) private pure returns (bytes32) {
        while (level.length > 1) level = _above(level);
        return level[0];
    }

    function _proofOf(
        bytes32[] memory level,
        uint256 position
    ) private pure returns (bytes32[] memory proof) {
        bytes32[] memory all = new bytes32[](64);
        uint256 length = 0;
        for (; level.length > 1; position /= 2) {
            if (position ^ 1 < level.length) all[length++] = level[position ^ 1];
            level = _above(level);
        }
        proof = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) proof[i] = all[i];
    }

    function _expectAnchor(uint256 index, uint256 first, uint256 last, uint256 time) private view {
        Anchor memory kept = _log.anchorOf(CUSTODIAN, index);
        _equal(kept.root, ROOT);
        _equal(kept.first, first);
        _equal(kept.last, last);
        _equal(kept.anchoredAt, time);
    }

    function _expectNotContiguous(uint256 first, uint256 expected) private {
        VM.expectRevert(abi.encodeWithSelector(IAccessLog.AccessLogNotContiguous.selector, first, expected));
    }

    function _expectOutOfBounds(uint256 first, uint256 last) private {
        VM.expectRevert(abi.encodeWithSelector(IAccessLog.AccessLogRangeOutOfBounds.selector, first, last));
    }
}
