// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EmergencyModel} from "./models/EmergencyModel.sol";

/// @title EmergencyProof
/// @notice Whatever is opened and closed, in whatever order, with whatever was ever signed.
contract EmergencyProof is EmergencyModel {
    /// @dev Any one signature, by whom it names and the count it is for, and whether it was used.
    address private immutable _NAMED;
    uint256 private immutable _COUNT;
    bool private _used;
    uint256 private _now;

    bool private _wasOpened;
    uint256 private _openedLast;

    constructor(address named, uint256 signed, uint256 time) {
        (_NAMED, _COUNT, _now) = (named, signed, time);
    }

    function open(
        bool forReader,
        uint256 newUntil,
        uint256 signed,
        Signer memory first,
        Signer memory second
    ) external {
        _open(forReader, newUntil, signed, first, second, _now);
        _use(first, signed);
        bool two = second.badge != address(0);
        if (two) _use(second, signed);
        bool again = _wasOpened && _now - _openedLast < 1 days;
        assert(!again || (two && second.named != first.named));
        (_wasOpened, _openedLast) = (true, _now);
    }

    function close() external {
        _close(_now);
        assert(!_isOpen(_now));
    }

    function retire(uint256 time) external {
        _retire();
        assert(!_isOpen(time));
    }

    function wait(uint256 seconds_) external {
        _now += seconds_;
    }

    function openForFourHoursAtMost(uint256 time) external view {
        assert(until <= openedAt + 4 hours);
        assert(!_isOpen(time) || time < openedAt + 4 hours);
    }

    function _use(Signer memory signer, uint256 signed) private {
        bool watched = signer.named == _NAMED && signed == _COUNT;
        assert(!_used || !watched);
        _used = _used || watched;
    }
}
