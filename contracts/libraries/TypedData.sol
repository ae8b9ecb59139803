// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ExamId, Grantee, Resource} from "../interfaces/IConsentLedger.sol";
import {Emergency} from "../interfaces/IEmergencyAccess.sol";
import {Terms} from "../types/Terms.sol";

/// @title TypedData
/// @notice What patients sign, and practitioners in an emergency: one EIP-712 struct for each act, with fields that a person
/// understands.
library TypedData {
    /// @notice Type of a signed `grant`.
    bytes32 internal constant GRANT = keccak256(
        "Grant(address patient,bytes32 resource,bytes32 grantee,uint40 notBefore,uint40 notAfter,uint32 purposes,uint16 actions,uint256 nonce,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed `grantBatch`.
    bytes32 internal constant GRANT_BATCH = keccak256(
        "GrantBatch(address patient,bytes32[] resources,bytes32 grantee,uint40 notBefore,uint40 notAfter,uint32 purposes,uint16 actions,uint256[] nonces,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed `revoke`.
    bytes32 internal constant REVOKE = keccak256(
        "Revoke(address patient,bytes32 resource,bytes32 grantee,uint256 nonce,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed `revokeBatch`.
    bytes32 internal constant REVOKE_BATCH = keccak256(
        "RevokeBatch(address patient,bytes32[] resources,bytes32 grantee,uint256[] nonces,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed `revokeAll`.
    bytes32 internal constant REVOKE_ALL = keccak256(
        "RevokeAll(address patient,uint256 nonce,uint256 deadline)"
    );

    /// @notice Type of a signed `nameGuardian`.
    bytes32 internal constant NAME_GUARDIAN = keccak256(
        "NameGuardian(address patient,address guardian,uint40 until,uint256 nonce,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed `handOver`.
    bytes32 internal constant HAND_OVER = keccak256(
        "HandOver(address patient,bytes32 examId,address to,uint256 nonce,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed `accept`.
    bytes32 internal constant ACCEPT = keccak256(
        "Accept(address patient,bytes32 examId,uint256 nonce,uint256 epoch,uint256 deadline)"
    );

    /// @notice Type of a signed emergency.
    bytes32 internal constant EMERGENCY = keccak256(
        "Emergency(bytes32 examId,address badge,bytes32 reader,uint8 reason,uint40 until,uint64 count)"
    );

    /// @notice Struct hash of a `Grant`.
    function grant(
        address patient,
        Resource resource,
        Grantee grantee,
        Terms terms,
        uint256 nonce,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return _granting(GRANT, patient, Resource.unwrap(resource), grantee, terms, nonce, epoch, deadline);
    }

    /// @notice Struct hash of a `GrantBatch`.
    function grantBatch(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        Terms terms,
        uint256[] calldata nonces,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        bytes32 all = keccak256(abi.encodePacked(resources));
        uint256 allNonces = uint256(keccak256(abi.encodePacked(nonces)));
        return _granting(GRANT_BATCH, patient, all, grantee, terms, allNonces, epoch, deadline);
    }

    /// @notice Struct hash of a `Revoke`.
    function revoke(
        address patient,
        Resource resource,
        Grantee grantee,
        uint256 nonce,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE, patient, resource, grantee, nonce, epoch, deadline));
    }

    /// @notice Struct hash of a `RevokeBatch`.
    function revokeBatch(
        address patient,
        Resource[] calldata resources,
        Grantee grantee,
        uint256[] calldata nonces,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        bytes32 all = keccak256(abi.encodePacked(resources));
        bytes32 allNonces = keccak256(abi.encodePacked(nonces));
        return keccak256(abi.encode(REVOKE_BATCH, patient, all, grantee, allNonces, epoch, deadline));
    }

    /// @notice Struct hash of a `RevokeAll`.
    function revokeAll(address patient, uint256 nonce, uint256 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(REVOKE_ALL, patient, nonce, deadline));
    }

    /// @notice Struct hash of a `NameGuardian`.
    function nameGuardian(
        address patient,
        address guardian,
        uint40 until,
        uint256 nonce,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(NAME_GUARDIAN, patient, guardian, until, nonce, epoch, deadline));
    }

    /// @notice Struct hash of a `HandOver`.
    function handOver(
        address patient,
        ExamId examId,
        address to,
        uint256 nonce,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(HAND_OVER, patient, examId, to, nonce, epoch, deadline));
    }

    /// @notice Struct hash of an `Accept`.
    function accept(
        address patient,
        ExamId examId,
        uint256 nonce,
        uint256 epoch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPT, patient, examId, nonce, epoch, deadline));
    }

    /// @notice Struct hash of an `Emergency`. The exam's id stands for the three parts that it is made of. It names who signs,
    /// so that one signature serves one badge, also where two accounts have one owner.
    function emergency(
        Emergency calldata signed,
        ExamId examId,
        address badge
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(EMERGENCY, examId, badge, signed.reader, signed.reason, signed.until, signed.count)
            );
    }

    /// @dev Arrays enter a struct hash as the hash of their elements, in the place of one.
    function _granting(
        bytes32 typeHash,
        address patient,
        bytes32 resource,
        Grantee grantee,
        Terms terms,
        uint256 nonce,
        uint256 epoch,
        uint256 deadline
    ) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    typeHash,
                    patient,
                    resource,
                    grantee,
                    terms.notBefore(),
                    terms.notAfter(),
                    terms.purposes(),
                    terms.actions(),
                    nonce,
                    epoch,
                    deadline
                )
            );
    }
}
