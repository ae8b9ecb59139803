// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title SlotModel
/// @notice One grant slot of the ledger in plain fields, and what of its patient bears on it. That a signature is the
/// patient's, and before its deadline, is for the caller to say.
abstract contract SlotModel {
    uint256 public nonce;
    uint256 public terms;
    uint256 public grantedAt;
    bool public revoked;
    uint256 public revokedAllAt;
    uint256 public epoch;
    uint256 public revocations;

    function _grant(uint256 newTerms, uint256 time) internal {
        (terms, grantedAt, revoked) = (newTerms, time, false);
        ++nonce;
    }

    function _revoke() internal {
        (terms, grantedAt, revoked) = (0, 0, true);
        ++nonce;
    }

    function _revokeAll(uint256 time) internal {
        revokedAllAt = time;
        ++epoch;
        ++revocations;
    }

    function _departure() internal {
        ++epoch;
    }

    function _grantBySig(
        uint256 newTerms,
        uint256 time,
        uint256 signed,
        uint256 signedEpoch
    ) internal returns (bool done) {
        require(signedEpoch == epoch);
        done = _isNext(signed, nonce, _isLive() && terms == newTerms);
        if (done) _grant(newTerms, time);
    }

    function _revokeBySig(uint256 signed, uint256 signedEpoch) internal returns (bool done) {
        require(signedEpoch == epoch);
        done = _isNext(signed, nonce, revoked);
        if (done) _revoke();
    }

    function _revokeAllBySig(uint256 time, uint256 signed) internal returns (bool done) {
        done = _isNext(signed, revocations, revokedAllAt == time);
        if (done) _revokeAll(time);
    }

    function _isNext(uint256 signed, uint256 current, bool stands) internal pure returns (bool) {
        require(signed == current || (stands && current != 0 && signed == current - 1));
        return signed == current;
    }

    function _isLive() internal view returns (bool) {
        return nonce != 0 && !revoked && grantedAt > revokedAllAt;
    }
}
