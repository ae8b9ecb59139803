// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {Authorization, ExamId, Grantee, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {TypedData} from "../../contracts/libraries/TypedData.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {Signing} from "./Signing.sol";

/// @title LedgerIntruders
/// @notice Everybody but one patient, their exam's custodian and its reader included, who reach for that exam at random: in
/// their own names, which is theirs to do, and in the patient's, which must fail.
contract LedgerIntruders is Signing {
    ConsentLedger public immutable LEDGER;
    address public immutable PATIENT;
    address public immutable READER;
    ExamId public immutable EXAM;

    Resource[] private _resources;
    address[] private _intruders;

    constructor(
        ConsentLedger ledger,
        address patient,
        address reader,
        ExamId exam,
        Resource[] memory resources,
        address[] memory intruders
    ) {
        (LEDGER, PATIENT, READER, EXAM) = (ledger, patient, reader, exam);
        (_resources, _intruders) = (resources, intruders);
    }

    /// @dev Whoever is its reader grants it on, too.
    function actForThemselves(uint256 who, uint256 which, bool revoked) external {
        address intruder = _intruderAt(who);
        VM.startPrank(intruder);
        LEDGER.grant(_resourceAt(which), Ids.plain(READER), _everything());
        if (revoked) LEDGER.revoke(_resourceAt(which), Ids.plain(READER));
        if (which % 7 == 0) LEDGER.revokeAll(intruder);
        LEDGER.nameGuardian(_intruderAt(which), uint40(block.timestamp + 1 days));
        VM.stopPrank();
    }

    function actForThePatient(uint256 who, uint256 how, uint256 which) external {
        Resource[] memory resources = new Resource[](1);
        resources[0] = _resourceAt(which);
        bytes memory act = _actOf(how, _intruderAt(who), resources);
        VM.prank(_intruderAt(who));
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, ) = address(LEDGER).call(act);
        _true(!done, "acted for a patient who did not ask for it");
    }

    function _actOf(
        uint256 how,
        address intruder,
        Resource[] memory resources
    ) private view returns (bytes memory) {
        Grantee reader = Ids.plain(READER);
        if (how % 6 == 0)
            return abi.encodeCall(LEDGER.grantBatch, (PATIENT, resources, reader, _everything()));
        if (how % 6 == 1) return abi.encodeCall(LEDGER.revokeBatch, (PATIENT, resources, reader));
        if (how % 6 == 2) return abi.encodeCall(LEDGER.revokeAll, (PATIENT));
        if (how % 6 == 3) return abi.encodeCall(LEDGER.handOver, (EXAM, intruder));
        if (how % 6 == 4) return abi.encodeCall(LEDGER.accept, (EXAM));
        return _signedByAnother(resources[0], reader);
    }

    /// @dev All is as the patient would sign it now, but for the key.
    function _signedByAnother(Resource resource, Grantee reader) private view returns (bytes memory) {
        uint256 nonce = LEDGER.grantOf(PATIENT, resource, reader).nonce;
        uint256 epoch = LEDGER.patientOf(PATIENT).epoch;
        uint256 deadline = block.timestamp + 1 days;
        Terms terms = _everything();
        bytes32 hash = TypedData.grant(PATIENT, resource, reader, terms, nonce, epoch, deadline);
        Authorization memory by = Authorization(
            PATIENT,
            deadline,
            _sign(0xBAD, "ExamKey", address(LEDGER), hash)
        );
        return abi.encodeCall(LEDGER.grantBySig, (resource, reader, terms, nonce, epoch, by));
    }

    function _intruderAt(uint256 index) private view returns (address) {
        return _intruders[index % _intruders.length];
    }

    function _resourceAt(uint256 index) private view returns (Resource) {
        return _resources[index % _resources.length];
    }

    /// @dev Every purpose and action, until the end of time.
    function _everything() private pure returns (Terms) {
        return Terms.wrap(type(uint128).max - type(uint40).max);
    }
}
