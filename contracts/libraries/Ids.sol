// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ExamId, Grantee, Resource} from "../interfaces/IConsentLedger.sol";

/// @title Ids
/// @notice How ids are computed. Each hash starts with the tag of its kind, so that none can pass for another.
library Ids {
    /// @notice Tag of an exam id.
    bytes32 internal constant EXAM = keccak256("ExamKey.Exam");

    /// @notice Tag of a series.
    bytes32 internal constant SERIES = keccak256("ExamKey.Series");

    /// @notice Tag of all of a patient's exams at one custodian.
    bytes32 internal constant EXAMS_AT = keccak256("ExamKey.ExamsAt");

    /// @notice Tag of all of a patient's exams.
    bytes32 internal constant ALL_EXAMS = keccak256("ExamKey.AllExams");

    /// @notice Tag of a blinded grantee.
    bytes32 internal constant GRANTEE = keccak256("ExamKey.Grantee");

    /// @notice Tag of a leaf in a batch of pointers.
    bytes32 internal constant POINTER = keccak256("ExamKey.Pointer");

    /// @notice Tag of an inner node of a Merkle tree whose leaves have no order.
    bytes32 internal constant NODE = keccak256("ExamKey.Node");

    /// @notice Tag of a leaf in a tree of receipts.
    bytes32 internal constant RECEIPT = keccak256("ExamKey.Receipt");

    /// @notice Tag of an inner node of a tree of receipts.
    bytes32 internal constant RECEIPT_NODE = keccak256("ExamKey.ReceiptNode");

    /// @notice The id of an exam. It binds custodian and patient: nobody else can take it, or take it first.
    function exam(address custodian, address patient, bytes32 commitment) internal pure returns (ExamId) {
        return ExamId.wrap(keccak256(abi.encode(EXAM, custodian, patient, commitment)));
    }

    /// @notice The resource that covers one series of an exam.
    function series(ExamId examId, bytes32 seriesCommitment) internal pure returns (Resource) {
        return Resource.wrap(keccak256(abi.encode(SERIES, examId, seriesCommitment)));
    }

    /// @notice The resource that covers a whole exam: its id.
    function whole(ExamId examId) internal pure returns (Resource) {
        return Resource.wrap(ExamId.unwrap(examId));
    }

    /// @notice The resource that covers all of a patient's exams at one custodian, later ones included.
    function examsAt(address custodian) internal pure returns (Resource) {
        return Resource.wrap(keccak256(abi.encode(EXAMS_AT, custodian)));
    }

    /// @notice The resource that covers all of a patient's exams, later ones and other custodians' included.
    function allExams() internal pure returns (Resource) {
        return Resource.wrap(keccak256(abi.encode(ALL_EXAMS)));
    }

    /// @notice A reader under their own address.
    function plain(address reader) internal pure returns (Grantee) {
        return Grantee.wrap(bytes32(uint256(uint160(reader))));
    }

    /// @notice A reader under a name that only who knows the salt can tie to their address.
    function blinded(address reader, bytes32 salt) internal pure returns (Grantee) {
        return Grantee.wrap(keccak256(abi.encode(GRANTEE, reader, salt)));
    }

    /// @notice The leaf by which a batch commits a pointer.
    function pointer(ExamId examId, bytes32 manifestRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(POINTER, examId, manifestRoot));
    }

    /// @notice The node above two others, whichever is left.
    function node(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(NODE, a, b)) : keccak256(abi.encode(NODE, b, a));
    }

    /// @notice The leaf by which an anchor commits a receipt.
    function receipt(uint64 sequence, bytes32 digest) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT, sequence, digest));
    }

    /// @notice The node above two others of a tree of receipts, whose leaves have places.
    function receiptNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_NODE, left, right));
    }
}
