// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";

/// @title KeyAccount
/// @notice A smart account (ERC-4337) of one key, which signs data that is nested in the account's own (ERC-7739).
contract KeyAccount is Account, ERC7739, SignerECDSA {
    constructor(address key) EIP712("KeyAccount", "1") SignerECDSA(key) {}
}
