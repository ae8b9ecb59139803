// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ERC7739} from "@openzeppelin/contracts/utils/cryptography/signers/draft-ERC7739.sol";
import {SignerEIP7702} from "@openzeppelin/contracts/utils/cryptography/signers/SignerEIP7702.sol";

/// @title DelegateAccount
/// @notice A smart account for an EOA to delegate to (EIP-7702): the key that signs for it is the EOA's own.
contract DelegateAccount is Account, ERC7739, SignerEIP7702 {
    constructor() EIP712("DelegateAccount", "1") {}
}
