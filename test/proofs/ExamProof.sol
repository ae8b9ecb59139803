// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamModel} from "./models/ExamModel.sol";

/// @title ExamProof
/// @notice Whatever is done with an exam, in whatever order, by whomever.
contract ExamProof is ExamModel {
    uint256 private _registrations;
    uint256 private _highestVersion;
    bool private _wasRetired;
    uint256 private _now;

    function store(address patient) external {
        _store(patient);
        ++_registrations;
        assert(!_wasRetired);
    }

    function amend() external {
        uint256 before = version;
        _amend();
        assert(version == before + 1);
        assert(!_wasRetired);
    }

    function retire() external {
        _retire();
        _wasRetired = true;
    }

    function handOver(address from, address to) external {
        _handOver(from, to, _now);
    }

    function accept(address to) external {
        require(to != address(0)); // Nobody sends or signs as the zero address.
        address from = owner;
        uint256 epochBefore = epoch[from];
        bool offered = offeredTo == to && offeredAt > revokedAllAt[from];
        _accept(to, _now);
        assert(offered);
        assert(!_wasRetired);
        assert(epoch[from] == epochBefore + 1);
        assert(offeredTo == address(0));
    }

    function revokeAll(address patient) external {
        _revokeAll(patient, _now);
        assert(owner != patient || offeredAt <= revokedAllAt[patient]);
    }

    function wait(uint256 seconds_) external {
        _now += seconds_;
    }

    function registeredAtMostOnce() external view {
        assert(_registrations <= 1);
        assert((owner != address(0)) == (_registrations == 1));
        assert((version != 0) == (_registrations == 1));
    }

    function retiredForGood() external view {
        assert(retired == _wasRetired);
    }
}
