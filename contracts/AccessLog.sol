// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Anchor, IAccessLog} from "./interfaces/IAccessLog.sol";
import {IConsentLedger} from "./interfaces/IConsentLedger.sol";
import {Ids} from "./libraries/Ids.sol";

/// @title AccessLog
/// @notice Anchors of custodians' receipts. All of it is documented in `IAccessLog`.
contract AccessLog is IAccessLog {
    /// @dev So many receipts at most under one anchor: a stolen key must not be able to use up all numbers at once.
    uint256 private constant _WIDEST = 1 << 32;

    /// @inheritdoc IAccessLog
    IConsentLedger public immutable LEDGER;

    mapping(address custodian => Anchor[]) private _anchors;

    constructor(IConsentLedger ledger) {
        LEDGER = ledger;
    }

    /// @inheritdoc IAccessLog
    function anchor(
        address custodian,
        bytes32 root,
        uint64 first,
        uint64 last
    ) external returns (uint256 index) {
        if (msg.sender != custodian && !LEDGER.isOperator(custodian, msg.sender)) {
            revert AccessLogNotOperator(custodian, msg.sender);
        }
        uint256 next = nextSequence(custodian);
        if (first != next) revert AccessLogNotContiguous(first, next);
        if (last < first || last - first >= _WIDEST) revert AccessLogRangeOutOfBounds(first, last);
        index = _anchors[custodian].length;
        _anchors[custodian].push(Anchor(root, first, last, uint40(block.timestamp)));
        emit Anchored(custodian, index, root, first, last);
    }

    /// @inheritdoc IAccessLog
    function verify(
        address custodian,
        uint256 index,
        uint64 sequence,
        bytes32 receipt,
        bytes32[] calldata proof
    ) external view returns (bool) {
        if (index >= _anchors[custodian].length) return false;
        Anchor storage kept = _anchors[custodian][index];
        if (sequence < kept.first || sequence > kept.last) return false;

        uint256 position = sequence - kept.first;
        uint256 width = uint256(kept.last) - kept.first + 1;
        uint256 used = 0;
        bytes32 node = Ids.receipt(sequence, receipt);
        for (; width > 1; (position, width) = (position >> 1, (width + 1) >> 1)) {
            if (position ^ 1 >= width) continue;
            if (used == proof.length) return false;
            bytes32 sibling = proof[used];
            node = position & 1 == 0 ? Ids.receiptNode(node, sibling) : Ids.receiptNode(sibling, node);
            ++used;
        }
        return used == proof.length && node == kept.root;
    }

    /// @inheritdoc IAccessLog
    function anchorCount(address custodian) external view returns (uint256) {
        return _anchors[custodian].length;
    }

    /// @inheritdoc IAccessLog
    function anchorOf(address custodian, uint256 index) external view returns (Anchor memory) {
        return _anchors[custodian][index];
    }

    /// @inheritdoc IAccessLog
    function nextSequence(address custodian) public view returns (uint256) {
        uint256 count = _anchors[custodian].length;
        return count == 0 ? 1 : uint256(_anchors[custodian][count - 1].last) + 1;
    }
}
