// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EmergencyModel
/// @notice The emergencies of one exam in plain fields, and one reader's opening. That the exam is registered, that who signs
/// is a practitioner, and that the signature is theirs, is for the caller to say.
abstract contract EmergencyModel {
    /// @dev Somebody who is said to have signed, and whom the signed struct names as its signer.
    struct Signer {
        address badge;
        address named;
    }

    uint256 public count;
    uint256 public lastOpenedAt;
    uint256 public openedAt;
    uint256 public until;
    bool public retired;

    function _open(
        bool forReader,
        uint256 newUntil,
        uint256 signed,
        Signer memory first,
        Signer memory second,
        uint256 time
    ) internal {
        require(!retired);
        require(newUntil > time && newUntil <= time + 4 hours);
        require(signed == count);
        require(first.named == first.badge);
        if (second.badge != address(0)) require(second.badge != first.badge && second.named == second.badge);
        else require(time >= lastOpenedAt + 1 days);
        ++count;
        lastOpenedAt = time;
        if (forReader) (openedAt, until) = (time, newUntil);
    }

    function _close(uint256 time) internal {
        require(_isOpen(time));
        until = time;
    }

    function _retire() internal {
        require(!retired);
        retired = true;
    }

    function _isOpen(uint256 time) internal view returns (bool) {
        return openedAt <= time && time < until && !retired;
    }
}
