// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessLog} from "../../contracts/AccessLog.sol";
import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {CustodianRegistry} from "../../contracts/CustodianRegistry.sol";
import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {RUNNER} from "./Test.sol";

/// @title Deploy
/// @notice Deploys what is tested as it was built. `new` would have it compiled once more into every test that says it, with
/// the test's settings.
library Deploy {
    error NotDeployed(string artifact);

    function ledger() internal returns (ConsentLedger) {
        return ConsentLedger(_create("ConsentLedger.sol:ConsentLedger", ""));
    }

    function accessLog(ConsentLedger ledger_) internal returns (AccessLog) {
        return AccessLog(_create("AccessLog.sol:AccessLog", abi.encode(ledger_)));
    }

    function emergencyAccess(ConsentLedger ledger_) internal returns (EmergencyAccess) {
        return EmergencyAccess(_create("EmergencyAccess.sol:EmergencyAccess", abi.encode(ledger_)));
    }

    function custodianRegistry(address authority) internal returns (CustodianRegistry) {
        return CustodianRegistry(_create("CustodianRegistry.sol:CustodianRegistry", abi.encode(authority)));
    }

    function _create(string memory artifact, bytes memory parameters) private returns (address created) {
        bytes memory code = abi.encodePacked(RUNNER.getCode(artifact), parameters);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        if (created == address(0)) revert NotDeployed(artifact);
    }
}
