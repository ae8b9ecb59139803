// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SlotModel} from "./models/SlotModel.sol";

/// @title SlotProof
/// @notice Whatever is done with a slot, in whatever order, with whatever was ever signed. A signed act that is not refused
/// leaves standing what it asks for, also where it was done before and is not done again.
contract SlotProof is SlotModel {
    /// @dev Any one signature for the slot, and any one revokeAll; how often each worked.
    uint256 private immutable _NONCE;
    uint256 private immutable _EPOCH;
    uint256 private immutable _REVOCATION;
    bool private _signatureUsed;
    bool private _revocationUsed;

    /// @dev Below these, signatures were made before the last revoke, and before the last revokeAll.
    uint256 private _deadNonces;
    uint256 private _deadEpochs;
    bool private _grantedSince;
    uint256 private _now = 1;

    constructor(uint256 nonce_, uint256 epoch_, uint256 revocation) {
        (_NONCE, _EPOCH, _REVOCATION) = (nonce_, epoch_, revocation);
    }

    function grant(uint256 newTerms) external {
        _grant(newTerms, _now);
        _grantedSince = _now > revokedAllAt;
    }

    function revoke() external {
        _revoke();
        _revoked();
    }

    function revokeAll() external {
        _revokeAll(_now);
        _revokedAll();
    }

    function departure() external {
        _departure();
        _deadEpochs = epoch;
    }

    function wait(uint256 seconds_) external {
        _now += seconds_;
    }

    function grantBySig(uint256 newTerms, uint256 signed, uint256 signedEpoch) external {
        bool done = _grantBySig(newTerms, _now, signed, signedEpoch);
        _used(done, signed, signedEpoch);
        if (done) _grantedSince = _now > revokedAllAt;
        assert(terms == newTerms && !revoked);
        assert(done || _isLive());
    }

    function revokeBySig(uint256 signed, uint256 signedEpoch) external {
        bool done = _revokeBySig(signed, signedEpoch);
        _used(done, signed, signedEpoch);
        if (done) _revoked();
        assert(revoked);
    }

    function revokeAllBySig(uint256 signed) external {
        bool done = _revokeAllBySig(_now, signed);
        assert(revokedAllAt == _now && !_isLive());
        if (!done) return;
        assert(!_revocationUsed || signed != _REVOCATION);
        _revocationUsed = _revocationUsed || signed == _REVOCATION;
        _revokedAll();
    }

    function revokeAllLeavesNothingOpen() external view {
        assert(!_isLive() || _grantedSince);
    }

    function _used(bool done, uint256 signed, uint256 signedEpoch) private {
        if (!done) return;
        assert(signed >= _deadNonces);
        assert(signedEpoch >= _deadEpochs);
        bool watched = signed == _NONCE && signedEpoch == _EPOCH;
        assert(!_signatureUsed || !watched);
        _signatureUsed = _signatureUsed || watched;
    }

    function _revoked() private {
        assert(!_isLive());
        (_grantedSince, _deadNonces) = (false, nonce);
    }

    function _revokedAll() private {
        assert(!_isLive());
        (_grantedSince, _deadEpochs) = (false, epoch);
    }
}
