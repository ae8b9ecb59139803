// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

import {CustodianRegistry} from "../../contracts/CustodianRegistry.sol";
import {Custodian, ICustodianRegistry} from "../../contracts/interfaces/ICustodianRegistry.sol";
import {Deploy} from "./Deploy.sol";
import {Test} from "./Test.sol";

/// @title CustodianRegistryTest
/// @notice Who may write the registry, and what it answers.
contract CustodianRegistryTest is Test {
    uint64 private constant REGISTRAR = 1;
    uint32 private constant DELAY = 2 days;

    address private constant GOVERNOR = address(0x60);
    address private constant SLOW_REGISTRAR = address(0x61);
    address private constant CLINIC = address(0xC11);
    address private constant OTHER = address(0xC12);

    AccessManager private _manager;
    CustodianRegistry private _registry;

    /// @dev As the Ignition module deploys it: the governor may act at once, a second registrar after a delay.
    function setUp() external {
        VM.warp(1_800_000_000);
        _manager = new AccessManager(address(this));
        _registry = Deploy.custodianRegistry(address(_manager));
        bytes4[] memory governed = new bytes4[](2);
        (governed[0], governed[1]) = (ICustodianRegistry.list.selector, ICustodianRegistry.remove.selector);
        _manager.setTargetFunctionRole(address(_registry), governed, REGISTRAR);
        _manager.grantRole(REGISTRAR, GOVERNOR, 0);
        _manager.grantRole(REGISTRAR, SLOW_REGISTRAR, DELAY);
    }

    function test_List_KeepsTheEntry() external {
        VM.expectEmit(address(_registry));
        emit ICustodianRegistry.CustodianListed(CLINIC, "Clinic", "https://clinic.example");
        _list(CLINIC, "Clinic", "https://clinic.example");

        _true(_registry.isCustodian(CLINIC), "listed");
        _expectEntry(_registry.custodianOf(CLINIC), CLINIC, "Clinic", "https://clinic.example");
        _equal(_registry.count(), 1);
    }

    function test_List_AgainChangesTheEntry() external {
        _list(CLINIC, "Clinic", "https://clinic.example");
        _list(CLINIC, "Clinic North", "https://north.example");
        _expectEntry(_registry.custodianOf(CLINIC), CLINIC, "Clinic North", "https://north.example");
        _equal(_registry.count(), 1);
    }

    function test_Custodians_AreEnumeratedByPage() external {
        for (uint160 i = 1; i <= 5; ++i) _list(address(i), "Clinic", "https://clinic.example");
        _equal(_registry.custodians(0, 5).length, 5);
        _equal(_registry.custodians(0, type(uint256).max).length, 5);
        _equal(_registry.custodians(5, 6).length, 0);
        Custodian[] memory page = _registry.custodians(1, 3);
        _equal(page.length, 2);
        _equal(page[0].account, address(2));
        _equal(page[1].account, address(3));
    }

    function test_Remove_LeavesNothing() external {
        _list(CLINIC, "Clinic", "https://clinic.example");
        _list(OTHER, "Other", "https://other.example");
        VM.expectEmit(address(_registry));
        emit ICustodianRegistry.CustodianRemoved(CLINIC);
        VM.prank(GOVERNOR);
        _registry.remove(CLINIC);

        _true(!_registry.isCustodian(CLINIC), "removed");
        _equal(_registry.count(), 1);
        _equal(_registry.custodians(0, 9)[0].account, OTHER);
        _expectUnknown();
        _registry.custodianOf(CLINIC);
    }

    function test_RevertWhen_RemovingTheUnknown() external {
        _expectUnknown();
        VM.prank(GOVERNOR);
        _registry.remove(CLINIC);
    }

    function test_RevertWhen_ListingWithoutAccount() external {
        VM.expectRevert(abi.encodeWithSelector(ICustodianRegistry.CustodianRegistryZeroAccount.selector));
        _list(address(0), "Clinic", "https://clinic.example");
    }

    function test_RevertWhen_ListingWithoutName() external {
        VM.expectRevert(abi.encodeWithSelector(ICustodianRegistry.CustodianRegistryEmptyName.selector));
        _list(CLINIC, "", "https://clinic.example");
    }

    function test_RevertWhen_ListingWithoutGateway() external {
        VM.expectRevert(abi.encodeWithSelector(ICustodianRegistry.CustodianRegistryEmptyGateway.selector));
        _list(CLINIC, "Clinic", "");
    }

    /// @notice In a rival, anyone can overwrite a clinic's registry entry.
    function testFuzz_RevertWhen_AnybodyElseWrites(address sender) external {
        VM.assume(sender != GOVERNOR && sender != SLOW_REGISTRAR && sender != address(_manager));
        _list(CLINIC, "Clinic", "https://clinic.example");

        bytes memory refusal = abi.encodeWithSelector(
            IAccessManaged.AccessManagedUnauthorized.selector,
            sender
        );
        VM.expectRevert(refusal);
        VM.prank(sender);
        _registry.list(CLINIC, "Clinic", "https://thief.example");
        VM.expectRevert(refusal);
        VM.prank(sender);
        _registry.remove(CLINIC);
        _expectEntry(_registry.custodianOf(CLINIC), CLINIC, "Clinic", "https://clinic.example");
    }

    /// @notice The custodian itself governs nothing here: a stolen hospital key moves no gateway.
    function test_RevertWhen_ACustodianChangesItsOwnEntry() external {
        _list(CLINIC, "Clinic", "https://clinic.example");
        VM.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, CLINIC));
        VM.prank(CLINIC);
        _registry.list(CLINIC, "Clinic", "https://thief.example");
    }

    function test_DelayedRegistrar_MustAnnounceAndWait() external {
        bytes memory act = abi.encodeCall(
            ICustodianRegistry.list,
            (CLINIC, "Clinic", "https://clinic.example")
        );
        bytes32 id = _manager.hashOperation(SLOW_REGISTRAR, address(_registry), act);
        VM.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, id));
        VM.prank(SLOW_REGISTRAR);
        _registry.list(CLINIC, "Clinic", "https://clinic.example");

        VM.prank(SLOW_REGISTRAR);
        _manager.schedule(address(_registry), act, 0);
        VM.warp(block.timestamp + DELAY - 1);
        VM.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, id));
        VM.prank(SLOW_REGISTRAR);
        _registry.list(CLINIC, "Clinic", "https://clinic.example");

        VM.warp(block.timestamp + 1);
        VM.prank(SLOW_REGISTRAR);
        _registry.list(CLINIC, "Clinic", "https://clinic.example");
        _true(_registry.isCustodian(CLINIC), "listed after the delay");
    }

    function _list(address account, string memory name, string memory gateway) private {
        VM.prank(GOVERNOR);
        _registry.list(account, name, gateway);
    }

    function _expectUnknown() private {
        VM.expectRevert(abi.encodeWithSelector(ICustodianRegistry.CustodianRegistryUnknown.selector, CLINIC));
    }

    function _expectEntry(
        Custodian memory entry,
        address account,
        string memory name,
        string memory gateway
    ) private pure {
        _equal(entry.account, account);
        _equal(keccak256(bytes(entry.name)), keccak256(bytes(name)));
        _equal(keccak256(bytes(entry.gateway)), keccak256(bytes(gateway)));
    }
}
