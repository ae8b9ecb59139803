// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures
/// @notice Whether somebody signed, be it with a key or as a contract.
library Signatures {
    /// @notice Recovers first and asks ERC-1271 second, whether or not there is code: an EOA that is delegated (EIP-7702)
    /// has both a key and code, and signs with its key like any other.
    function isFrom(bytes calldata signature, address signer, bytes32 digest) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(digest, signature);
        return
            (failure == ECDSA.RecoverError.NoError && recovered == signer) ||
            SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }
}
