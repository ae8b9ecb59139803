// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamId} from "../../contracts/interfaces/IConsentLedger.sol";
import {Emergency} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {TypedData} from "../../contracts/libraries/TypedData.sol";
import {Signing} from "./Signing.sol";

/// @title EmergencySigning
/// @notice Signs emergencies as a practitioner's wallet does.
abstract contract EmergencySigning is Signing {
    function _signEmergency(
        uint256 key,
        address emergencies,
        Emergency memory emergency
    ) internal view returns (bytes memory) {
        return _signEmergency(key, VM.addr(key), emergencies, emergency);
    }

    /// @dev For a badge that is no EOA: the key's owner signs for the account that is named.
    function _signEmergency(
        uint256 key,
        address badge,
        address emergencies,
        Emergency memory emergency
    ) internal view returns (bytes memory) {
        ExamId id = Ids.exam(emergency.custodian, emergency.patient, emergency.commitment);
        bytes32 hash = keccak256(
            abi.encode(
                TypedData.EMERGENCY,
                id,
                badge,
                emergency.reader,
                emergency.reason,
                emergency.until,
                emergency.count
            )
        );
        return _sign(key, "ExamKey EmergencyAccess", emergencies, hash);
    }
}
