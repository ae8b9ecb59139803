// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IConsentLedger} from "./IConsentLedger.sol";

/// @notice One anchor: the receipts of a run of sequence numbers, committed by one root.
struct Anchor {
    /// @notice Root of the Merkle tree over the receipts, in the order of their sequence numbers.
    bytes32 root;
    /// @notice The first sequence number under the root.
    uint64 first;
    /// @notice The last sequence number under the root.
    uint64 last;
    /// @notice When it was anchored, in seconds since 1970-01-01 UTC.
    uint40 anchoredAt;
}

/// @title IAccessLog
/// @notice Where custodians commit to the receipts of the accesses that went through their gateways.
///
/// Invariants:
/// - A custodian's anchors cover the sequence numbers 1, 2, 3 … without a gap or an overlap.
/// - An anchor is never changed or removed.
/// - Under one anchor, one sequence number has one receipt: a leaf's place in the tree is its sequence number.
///
/// Assumptions:
/// - A receipt has something in it that cannot be guessed. Its digest is public to whoever is shown a proof.
/// - What was never given a sequence number is not in the log. That a custodian leaves out an access is found by the
///   reader, who holds the signed receipt of it, and not by this contract.
///
/// Administration: none. Who may anchor for a custodian is what the ledger says of its operators.
///
/// State machine of a sequence number of a custodian: open -> anchored, in order.
interface IAccessLog {
    /// @notice The sender is neither the custodian nor one of its operators.
    error AccessLogNotOperator(address custodian, address sender);
    /// @notice Anchors leave no gap, overlap nothing and rewrite nothing: `expected` comes next.
    error AccessLogNotContiguous(uint256 first, uint256 expected);
    /// @notice An anchor covers at least one receipt, and 2^32 at most.
    error AccessLogRangeOutOfBounds(uint256 first, uint256 last);

    /// @notice A custodian committed to its receipts from `first` to `last`.
    event Anchored(
        address indexed custodian,
        uint256 indexed index,
        bytes32 root,
        uint256 first,
        uint256 last
    );

    /// @notice Commits to the receipts that come next. Sent by the custodian or one of its operators.
    /// @dev Warning: it is for good. A wrong root can never be proved against, nor be replaced: what a stolen key anchored
    /// has used up its numbers, and the custodian goes on after them.
    /// @param root Root of the tree over the leaves `H(RECEIPT, sequence, receipt)`, in order; see `verify`.
    /// @param first The sequence number after the last one anchored; 1 at first.
    /// @return index Position of the anchor among the custodian's.
    function anchor(
        address custodian,
        bytes32 root,
        uint64 first,
        uint64 last
    ) external returns (uint256 index);

    /// @notice Whether an anchor holds this receipt at this sequence number. Never reverts for well-encoded input.
    /// @dev Leaves stand in the order of their sequence numbers; a node without a right sibling rises as it is, all others
    /// are `H(RECEIPT_NODE, left, right)`.
    /// @param index Position of the anchor among the custodian's.
    /// @param receipt Digest of the receipt.
    /// @param proof The siblings from the leaf up, one for each level at which the node has one.
    function verify(
        address custodian,
        uint256 index,
        uint64 sequence,
        bytes32 receipt,
        bytes32[] calldata proof
    ) external view returns (bool);

    /// @notice The ledger that says who a custodian's operators are.
    function LEDGER() external view returns (IConsentLedger);

    /// @notice How many anchors a custodian has made.
    function anchorCount(address custodian) external view returns (uint256);

    /// @notice One of a custodian's anchors. Reverts with a panic if there is none at `index`.
    function anchorOf(address custodian, uint256 index) external view returns (Anchor memory);

    /// @notice The sequence number that a custodian's next anchor starts at.
    function nextSequence(address custodian) external view returns (uint256);
}
