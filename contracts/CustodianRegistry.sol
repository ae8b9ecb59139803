// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {Custodian, ICustodianRegistry} from "./interfaces/ICustodianRegistry.sol";

/// @title CustodianRegistry
/// @notice Custodians and their gateways. All of it is documented in `ICustodianRegistry`.
contract CustodianRegistry is ICustodianRegistry, AccessManaged {
    using EnumerableSet for EnumerableSet.AddressSet;

    EnumerableSet.AddressSet private _accounts;
    mapping(address account => Custodian) private _custodians;

    constructor(address manager) AccessManaged(manager) {}

    /// @inheritdoc ICustodianRegistry
    function list(address account, string calldata name, string calldata gateway) external restricted {
        if (account == address(0)) revert CustodianRegistryZeroAccount();
        if (bytes(name).length == 0) revert CustodianRegistryEmptyName();
        if (bytes(gateway).length == 0) revert CustodianRegistryEmptyGateway();
        _accounts.add(account);
        _custodians[account] = Custodian(account, name, gateway);
        emit CustodianListed(account, name, gateway);
    }

    /// @inheritdoc ICustodianRegistry
    function remove(address account) external restricted {
        if (!_accounts.remove(account)) revert CustodianRegistryUnknown(account);
        delete _custodians[account];
        emit CustodianRemoved(account);
    }

    /// @inheritdoc ICustodianRegistry
    function custodianOf(address account) external view returns (Custodian memory) {
        if (!_accounts.contains(account)) revert CustodianRegistryUnknown(account);
        return _custodians[account];
    }

    /// @inheritdoc ICustodianRegistry
    function isCustodian(address account) external view returns (bool) {
        return _accounts.contains(account);
    }

    /// @inheritdoc ICustodianRegistry
    function count() external view returns (uint256) {
        return _accounts.length();
    }

    /// @inheritdoc ICustodianRegistry
    function custodians(uint256 start, uint256 end) external view returns (Custodian[] memory page) {
        address[] memory accounts = _accounts.values(start, end);
        page = new Custodian[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) page[i] = _custodians[accounts[i]];
    }
}
