// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {ExamId, Grantee, Query, Reason, Resource} from "../interfaces/IConsentLedger.sol";
import {GrantSlot} from "../types/GrantSlot.sol";
import {Terms} from "../types/Terms.sol";
import {Ids} from "./Ids.sol";

/// @title Judgement
/// @notice What a query asks for, and what one slot says to it.
library Judgement {
    /// @notice Whether the addresses are addresses, and purpose and action each exactly one bit of their mask.
    function isWellFormed(Query calldata query) internal pure returns (bool) {
        return
            (query.custodian | query.patient | query.reader) <= type(uint160).max &&
            _isOneBit(query.purpose) &&
            query.purpose <= type(uint32).max &&
            _isOneBit(query.action) &&
            query.action <= type(uint16).max;
    }

    /// @notice The exam that is asked for.
    function examOf(Query calldata query) internal pure returns (ExamId) {
        return Ids.exam(address(uint160(query.custodian)), address(uint160(query.patient)), query.commitment);
    }

    /// @notice The name under which the reader is asked for.
    function granteeOf(Query calldata query) internal pure returns (Grantee) {
        address reader = address(uint160(query.reader));
        return query.granteeSalt == 0 ? Ids.plain(reader) : Ids.blinded(reader, query.granteeSalt);
    }

    /// @notice Whatever covers what is asked for, from the narrowest to the widest; the series only where one is asked for.
    function resourcesOf(
        Query calldata query,
        ExamId examId
    ) internal pure returns (Resource[4] memory resources, uint256 narrowest) {
        resources[0] = Ids.series(examId, query.seriesCommitment);
        resources[1] = Ids.whole(examId);
        resources[2] = Ids.examsAt(address(uint160(query.custodian)));
        resources[3] = Ids.allExams();
        narrowest = query.seriesCommitment == 0 ? 1 : 0;
    }

    /// @notice Judges one slot alone. An empty slot was never granted; one that is dead counts as revoked.
    /// @param deadSince Grants of this second and before are dead.
    function judge(GrantSlot slot, uint256 deadSince, Query calldata query) internal pure returns (Reason) {
        Terms terms = slot.terms();
        if (slot.nonce() == 0) return Reason.NotGranted;
        // A revoked slot was granted at zero, which is never after: said twice, for who reads it.
        if (slot.isRevoked() || slot.grantedAt() <= deadSince) return Reason.Revoked;
        if (query.time < terms.notBefore()) return Reason.NotYetValid;
        if (query.time >= terms.notAfter()) return Reason.Expired;
        if (terms.purposes() & query.purpose == 0) return Reason.PurposeNotGranted;
        if (terms.actions() & query.action == 0) return Reason.ActionNotGranted;
        return Reason.Permitted;
    }

    function _isOneBit(uint256 mask) private pure returns (bool) {
        unchecked {
            return mask != 0 && mask & (mask - 1) == 0;
        }
    }
}
