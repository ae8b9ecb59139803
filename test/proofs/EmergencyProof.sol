// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EmergencyModel} from "./models/EmergencyModel.sol";

/// @title EmergencyProof
/// @notice Whatever is opened and closed, in whatever order, with whatever was ever signed.
contract EmergencyProof is EmergencyModel {
    /// @dev Any one signature, and how often it worked.
    uint256 private immutable _COUNT;
    bool private _used;
    uint256 private _now;

    bool private _wasOpened;
    uint256 private _openedLast;

    constructor(uint256 signed, uint256 time) {
        (_COUNT, _now) = (signed, time);
    }

    function open(bool forReader, uint256 newUntil, uint256 signed, address badge, address second) external {
        _open(forReader, newUntil, signed, badge, second, _now);
        assert(!_used || signed != _COUNT);
        _used = _used || signed == _COUNT;
        bool again = _wasOpened && _now - _openedLast < 1 days;
        assert(!again || (second != address(0) && second != badge));
        (_wasOpened, _openedLast) = (true, _now);
    }

    function close() external {
        _close(_now);
        assert(!_isOpen(_now));
    }

    function wait(uint256 seconds_) external {
        _now += seconds_;
    }

    function openForFourHoursAtMost(uint256 time) external view {
        assert(until <= openedAt + 4 hours);
        assert(!_isOpen(time) || time < openedAt + 4 hours);
    }
}
