// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice What belongs to a patient as a whole, in one word.
///
/// ```
/// bit 255     192 191         128 127     40 39             0
///     +----------+---------------+----------+----------------+
///     | zero  64 | revocations 64| epoch 88 | revokedAllAt 40|
///     +----------+---------------+----------+----------------+
/// ```
///
/// The epoch is one more at each revokeAll, and whenever an exam leaves the patient; revocations count the former alone.
type PatientSlot is uint256;

using PatientSlotLib for PatientSlot global;

/// @title PatientSlotLib
/// @notice What a slot holds, and what it becomes. Neither counter can overflow in the life of any chain.
library PatientSlotLib {
    uint256 private constant _ONE_EPOCH = 1 << 40;
    uint256 private constant _ONE_REVOCATION = 1 << 128;

    /// @notice The slot after a revokeAll at `time`.
    function afterRevokeAll(PatientSlot slot, uint256 time) internal pure returns (PatientSlot) {
        unchecked {
            uint256 counters = (PatientSlot.unwrap(slot) >> 40) << 40;
            return PatientSlot.wrap((counters + _ONE_EPOCH + _ONE_REVOCATION) | uint40(time));
        }
    }

    /// @notice The slot after an exam has left the patient.
    function afterDeparture(PatientSlot slot) internal pure returns (PatientSlot) {
        unchecked {
            return PatientSlot.wrap(PatientSlot.unwrap(slot) + _ONE_EPOCH);
        }
    }

    /// @notice When the patient last revoked all, in seconds since 1970-01-01 UTC; zero for never.
    function revokedAllAt(PatientSlot slot) internal pure returns (uint40) {
        return uint40(PatientSlot.unwrap(slot));
    }

    /// @notice What every signature but that of a revokeAll must name.
    function epoch(PatientSlot slot) internal pure returns (uint88) {
        return uint88(PatientSlot.unwrap(slot) >> 40);
    }

    /// @notice How often the patient revoked all.
    function revocations(PatientSlot slot) internal pure returns (uint64) {
        return uint64(PatientSlot.unwrap(slot) >> 128);
    }
}
