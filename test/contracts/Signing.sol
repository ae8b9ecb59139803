// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Test} from "./Test.sol";

/// @title Signing
/// @notice Signs typed data as a wallet does: EIP-712 by the letter, with no help from what is tested.
/// @dev Calls nothing but cheatcodes, so that it may stand between an expectation and the call that it is for.
abstract contract Signing is Test {
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    function _sign(
        uint256 key,
        string memory domainName,
        address verifyingContract,
        bytes32 structHash
    ) internal view returns (bytes memory) {
        bytes32 name = keccak256(bytes(domainName));
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPE, name, keccak256("1"), block.chainid, verifyingContract)
        );
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, MessageHashUtils.toTypedDataHash(domain, structHash));
        return abi.encodePacked(r, s, v);
    }
}
