// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IConsentLedger} from "../interfaces/IConsentLedger.sol";

/// @notice What a grant allows, in the lower half of a word; the upper half is zero.
///
/// ```
/// bit 255      128 127     112 111        80 79         40 39          0
///     +-----------+-----------+-------------+-------------+-------------+
///     |  zero 128 | actions 16| purposes 32 | notAfter 40 | notBefore 40|
///     +-----------+-----------+-------------+-------------+-------------+
/// ```
///
/// The period is half-open, in seconds since 1970-01-01 UTC: `notBefore <= t < notAfter`. What each bit of purposes and
/// actions means is the protocol's to say: purposes are HL7 PurposeOfUse codes; actions are VIEW, DOWNLOAD, SHARE.
type Terms is uint256;

using TermsLib for Terms global;

/// @title TermsLib
/// @notice The fields of terms, and what makes them terms.
library TermsLib {
    /// @notice The first second covered.
    function notBefore(Terms terms) internal pure returns (uint256) {
        return uint40(Terms.unwrap(terms));
    }

    /// @notice The first second no longer covered.
    function notAfter(Terms terms) internal pure returns (uint256) {
        return uint40(Terms.unwrap(terms) >> 40);
    }

    /// @notice The mask of purposes.
    function purposes(Terms terms) internal pure returns (uint256) {
        return uint32(Terms.unwrap(terms) >> 80);
    }

    /// @notice The mask of actions.
    function actions(Terms terms) internal pure returns (uint256) {
        return uint16(Terms.unwrap(terms) >> 112);
    }

    /// @notice Refuses terms that allow nothing, and bits above the fields, which nobody has said the meaning of.
    function requireWellFormed(Terms terms) internal pure {
        if (Terms.unwrap(terms) >> 128 != 0) revert IConsentLedger.ConsentLedgerUnknownTerms(terms);
        if (notAfter(terms) <= notBefore(terms)) {
            revert IConsentLedger.ConsentLedgerEmptyPeriod(notBefore(terms), notAfter(terms));
        }
        if (purposes(terms) == 0) revert IConsentLedger.ConsentLedgerZeroPurposes();
        if (actions(terms) == 0) revert IConsentLedger.ConsentLedgerZeroActions();
    }
}
