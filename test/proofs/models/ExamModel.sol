// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ExamModel
/// @notice One exam of the ledger in plain fields: its pointer, its offer, and what of its owners bears on them. Who may
/// act, and when, is for the caller to say.
abstract contract ExamModel {
    address public owner;
    uint256 public ownedSince;
    uint256 public version;
    bool public retired;
    address public offeredTo;
    uint256 public offeredAt;
    uint256 public offers;
    mapping(address patient => uint256) public revokedAllAt;
    mapping(address patient => uint256) public epoch;

    function _store(address patient) internal {
        require(patient != address(0) && !retired && owner == address(0));
        (owner, version) = (patient, 1);
    }

    function _amend() internal {
        require(_isLive());
        ++version;
    }

    function _retire() internal {
        require(!retired);
        retired = true;
    }

    function _handOver(address from, address to, uint256 time) internal {
        require(_isLive() && owner == from);
        (offeredTo, offeredAt) = (to, time);
        ++offers;
    }

    function _accept(address to, uint256 time) internal {
        require(_isLive() && offeredTo == to && offeredAt > revokedAllAt[owner]);
        ++epoch[owner];
        (owner, ownedSince) = (to, time);
        (offeredTo, offeredAt) = (address(0), 0);
        ++offers;
    }

    function _revokeAll(address patient, uint256 time) internal {
        revokedAllAt[patient] = time;
        ++epoch[patient];
    }

    function _isLive() internal view returns (bool) {
        return owner != address(0) && !retired;
    }
}
