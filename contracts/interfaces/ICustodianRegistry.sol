// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice Who holds images, and where to ask for them.
struct Custodian {
    /// @notice The address that registers exams on the ledger.
    address account;
    /// @notice The name that patients read.
    string name;
    /// @notice The URL of the gateway, without a trailing slash.
    string gateway;
}

/// @title ICustodianRegistry
/// @notice Which addresses are custodians, and where their gateways are.
///
/// Invariants: one entry for each address, each with a name and a gateway.
///
/// Assumptions: who governs has checked that the address, the name and the gateway belong together. The registry says
/// whom to believe; it can open no exam.
///
/// Administration: an AccessManager, which may put a delay between an announcement and its effect. Nobody else writes,
/// the custodians themselves included.
///
/// State machine of an entry: absent -> listed (and changed) -> absent.
interface ICustodianRegistry {
    /// @notice A custodian has an address.
    error CustodianRegistryZeroAccount();
    /// @notice A custodian has a name.
    error CustodianRegistryEmptyName();
    /// @notice A custodian has a gateway.
    error CustodianRegistryEmptyGateway();
    /// @notice The address is not listed.
    error CustodianRegistryUnknown(address account);

    /// @notice A custodian was listed, or its entry was changed.
    event CustodianListed(address indexed account, string name, string gateway);

    /// @notice A custodian was taken off the list.
    event CustodianRemoved(address indexed account);

    /// @notice Lists a custodian, or changes its entry. Sent by who governs.
    /// @dev Warning: apps send their users' sign-ins to the gateway named here.
    function list(address account, string calldata name, string calldata gateway) external;

    /// @notice Takes a custodian off the list. Its exams and their grants stay as they are.
    function remove(address account) external;

    /// @notice The entry of an address; reverts if there is none.
    function custodianOf(address account) external view returns (Custodian memory);

    /// @notice Whether an address is listed.
    function isCustodian(address account) external view returns (bool);

    /// @notice How many custodians are listed.
    function count() external view returns (uint256);

    /// @notice Entries from position `start` up to, and without, `end`; positions past the last are left out.
    /// @dev Warning: a removal moves the last entry into the gap, so pages read in different blocks may miss one.
    function custodians(uint256 start, uint256 end) external view returns (Custodian[] memory);
}
