// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {ExamId, Grant, Grantee, Query, Reason, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {Deploy} from "./Deploy.sol";
import {Test} from "./Test.sol";

/// @title LedgerTest
/// @notice A ledger with one exam of one patient, and what asking about it takes.
abstract contract LedgerTest is Test {
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant END = NOW + 30 days;

    uint256 internal constant TREAT = 1 << 0;
    uint256 internal constant HRESCH = 1 << 3;
    uint256 internal constant VIEW = 1 << 0;
    uint256 internal constant DOWNLOAD = 1 << 1;

    address internal constant CUSTODIAN = address(0xC057);
    address internal constant OPERATOR = address(0x09E7);
    address internal constant PATIENT = address(0xBA71);
    address internal constant READER = address(0x4EAD);
    address internal constant STRANGER = address(0x5742);

    bytes32 internal constant COMMITMENT = keccak256("commitment");
    bytes32 internal constant ROOT = keccak256("root");
    bytes32 internal constant SERIES = keccak256("series");

    ConsentLedger internal ledger;
    ExamId internal examId;
    Resource internal exam;
    Resource internal series;

    function setUp() public virtual {
        VM.warp(NOW);
        ledger = Deploy.ledger();
        VM.prank(CUSTODIAN);
        examId = ledger.register(CUSTODIAN, PATIENT, COMMITMENT, ROOT);
        exam = Ids.whole(examId);
        series = Ids.series(examId, SERIES);
    }

    function _terms(
        uint256 notBefore,
        uint256 notAfter,
        uint256 purposes,
        uint256 actions
    ) internal pure returns (Terms) {
        return Terms.wrap(notBefore | (notAfter << 40) | (purposes << 80) | (actions << 112));
    }

    /// @dev Treatment, viewing, from now until the end.
    function _plain() internal pure returns (Terms) {
        return _terms(NOW, END, TREAT, VIEW);
    }

    function _grantee(address reader) internal pure returns (Grantee) {
        return Grantee.wrap(bytes32(uint256(uint160(reader))));
    }

    function _grant(Resource resource, Terms terms) internal {
        _grantBy(PATIENT, resource, terms);
    }

    function _grantBy(address sender, Resource resource, Terms terms) internal {
        VM.prank(sender);
        ledger.grant(resource, _grantee(READER), terms);
    }

    function _revoke(Resource resource) internal {
        VM.prank(PATIENT);
        ledger.revoke(resource, _grantee(READER));
    }

    function _register(address patient, bytes32 commitment) internal returns (ExamId) {
        VM.prank(CUSTODIAN);
        return ledger.register(CUSTODIAN, patient, commitment, ROOT);
    }

    function _retire(bytes32 commitment) internal {
        VM.prank(CUSTODIAN);
        ledger.retire(PATIENT, commitment);
    }

    /// @dev The slot of the patient and the reader.
    function _slot(Resource resource) internal view returns (Grant memory) {
        return ledger.grantOf(PATIENT, resource, _grantee(READER));
    }

    function _two(Resource first, Resource second) internal pure returns (Resource[] memory resources) {
        resources = new Resource[](2);
        (resources[0], resources[1]) = (first, second);
    }

    function _revokeAll() internal {
        VM.prank(PATIENT);
        ledger.revokeAll(PATIENT);
    }

    /// @dev May the reader view the exam for treatment, now?
    function _query() internal view returns (Query memory) {
        return
            Query({
                custodian: uint160(CUSTODIAN),
                patient: uint160(PATIENT),
                commitment: COMMITMENT,
                seriesCommitment: 0,
                reader: uint160(READER),
                granteeSalt: 0,
                purpose: TREAT,
                action: VIEW,
                time: block.timestamp
            });
    }

    function _seriesQuery() internal view returns (Query memory query) {
        query = _query();
        query.seriesCommitment = SERIES;
    }

    function _expect(Query memory query, Reason expected) internal view {
        (Reason reason, uint256 validUntil) = ledger.check(query);
        _equal(uint256(reason), uint256(expected));
        if (expected != Reason.Permitted) _equal(validUntil, 0);
    }

    function _expectPermit(Query memory query, uint256 until) internal view {
        (Reason reason, uint256 validUntil) = ledger.check(query);
        _equal(uint256(reason), uint256(Reason.Permitted));
        _equal(validUntil, until);
    }
}
