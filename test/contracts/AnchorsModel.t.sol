// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessLog} from "../../contracts/AccessLog.sol";
import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {AnchorsModel} from "../proofs/models/AnchorsModel.sol";
import {ModelTest} from "./ModelTest.sol";

/// @title AnchorsModelHost
/// @notice The model's act, for whoever calls.
contract AnchorsModelHost is AnchorsModel {
    function anchor(uint256 first, uint256 newLast) external {
        _anchor(first, newLast);
    }
}

/// @title AnchorsModelTest
/// @notice What `AnchorsProof` proves of the model is so for the access log, as far as any history shows.
contract AnchorsModelTest is ModelTest {
    address private constant CUSTODIAN = address(0xC057);

    AccessLog private _log;
    AnchorsModelHost private _host;

    function setUp() external {
        _log = new AccessLog(new ConsentLedger());
        _host = new AnchorsModelHost();
    }

    function testFuzz_AnchorsModel_DoesWhatTheAccessLogDoes(uint256[ACTS] calldata history) external {
        for (uint256 i = 0; i < ACTS; ++i) {
            (uint256 early, uint256 word) = _choose(history[i], 4);
            (uint256 length, ) = _choose(word, 5);
            uint64 first = uint64(_host.last() + (early == 0 ? word % 3 : 1));
            uint64 last = first + uint64(length);
            if (last != 0) --last;
            bytes memory act = abi.encodeCall(AccessLog.anchor, (CUSTODIAN, keccak256("root"), first, last));
            bool done = _act(CUSTODIAN, address(_log), act);
            _model(address(_host), abi.encodeCall(AnchorsModelHost.anchor, (first, last)), done);
            _equal(_log.nextSequence(CUSTODIAN), _host.last() + 1);
        }
    }
}
