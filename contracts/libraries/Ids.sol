// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ExamId, Resource} from "../interfaces/IConsentLedger.sol";

/// @title Ids
/// @notice How ids are computed. Each hash starts with the tag of its kind, so that none can pass for another.
library Ids {
    /// @notice Tag of an exam id.
    bytes32 internal constant EXAM = keccak256("ExamKey.Exam");

    /// @notice Tag of a series.
    bytes32 internal constant SERIES = keccak256("ExamKey.Series");

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
}
