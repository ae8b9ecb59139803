// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EmergencyModel
/// @notice The emergencies of one exam in plain fields, and one reader's opening. That who signs is a practitioner is for
/// the caller to say.
abstract contract EmergencyModel {
    uint256 public count;
    uint256 public lastOpenedAt;
    uint256 public openedAt;
    uint256 public until;

    function _open(
        bool forReader,
        uint256 newUntil,
        uint256 signed,
        address badge,
        address second,
        uint256 time
    ) internal {
        require(newUntil > time && newUntil <= time + 4 hours);
        require(signed == count);
        if (second != address(0)) require(second != badge);
        else require(time >= lastOpenedAt + 1 days);
        ++count;
        lastOpenedAt = time;
        if (forReader) (openedAt, until) = (time, newUntil);
    }

    function _close(uint256 time) internal {
        require(_isOpen(time));
        until = time;
    }

    function _isOpen(uint256 time) internal view returns (bool) {
        return openedAt <= time && time < until;
    }
}
