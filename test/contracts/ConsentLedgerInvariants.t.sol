// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamId, Grant, Pointer, Query, Reason, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerActors} from "./LedgerActors.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerInvariantsTest
/// @notice What stays true whatever custodians, patients and readers do, in whatever order.
/// @dev Run it with the whole suite (`--grep invariant_`): the fuzzer finds the actors among the files compiled.
contract ConsentLedgerInvariantsTest is LedgerTest {
    LedgerActors private _actors;

    function setUp() public override {
        super.setUp();
        _grant(exam, _plain());
        _revoke(series);
        _actors = new LedgerActors(ledger);
        _target(address(_actors));
    }

    /// @notice No sequence of calls by others changes what a patient's grants decide.
    function invariant_OthersChangeNothingForABystander() external view {
        Query memory query = _query();
        query.time = NOW;
        _expectPermit(query, END);
        query.seriesCommitment = SERIES;
        _expect(query, Reason.Revoked);
        query.seriesCommitment = 0;
        query.reader = uint160(STRANGER);
        _expect(query, Reason.NotGranted);
    }

    /// @notice `check` permits exactly what a plain model of the same history permits: nothing that was revoked,
    /// revoked with all, expired or retired, and never by a union of grants.
    function invariant_CheckAgreesWithTheModel() external view {
        for (uint256 i = 0; i < _exams(); ++i) {
            for (uint256 s = 0; s <= _actors.SERIES(); ++s) {
                for (uint256 r = 0; r < _actors.READERS(); ++r) {
                    for (uint256 mask = 0; mask < 4; ++mask) _compare(_queryAt(i, s, r, mask));
                }
            }
        }
    }

    /// @notice An id is registered at most once; what is retired stays retired; versions count amendments.
    function invariant_PointersFollowTheirStateMachine() external view {
        for (uint256 i = 0; i < _exams(); ++i) {
            (, , , ExamId id) = _examAt(i);
            Pointer memory pointer = ledger.pointerOf(id);
            _true(_actors.registrations(id) <= 1, "registered twice");
            _true(pointer.retired == _actors.isRetired(id), "retired");
            _true((pointer.owner != address(0)) == (_actors.registrations(id) == 1), "registered");
            _equal(pointer.version, _actors.versions(id));
        }
    }

    /// @notice A slot's nonce counts its patient's writes: each act is seen, and none is seen twice.
    function invariant_NoncesCountWrites() external view {
        for (uint256 i = 0; i < _exams(); ++i) {
            (, address patient, , ExamId id) = _examAt(i);
            for (uint256 s = 0; s <= _actors.SERIES(); ++s) {
                Resource resource = s == 0 ? Ids.whole(id) : Ids.series(id, _actors.seriesAt(s));
                for (uint256 r = 0; r < _actors.READERS(); ++r) {
                    address reader = _actors.readerAt(r);
                    Grant memory slot = ledger.grantOf(patient, resource, _grantee(reader));
                    LedgerActors.Kept memory kept = _actors.keptOf(patient, resource, reader);
                    _equal(slot.nonce, kept.writes);
                    _true(slot.revoked == kept.revoked, "revoked");
                }
            }
        }
    }

    function _compare(Query memory query) private view {
        (Reason reason, uint256 validUntil) = ledger.check(query);
        bool permitted = reason == Reason.Permitted;
        _true(permitted == _actors.permits(query), "check and model agree");
        _true(permitted == (validUntil > query.time), "a permit ends in the future");
    }

    function _queryAt(
        uint256 i,
        uint256 s,
        uint256 r,
        uint256 mask
    ) private view returns (Query memory query) {
        (address custodian, address patient, bytes32 commitment, ) = _examAt(i);
        query.custodian = uint160(custodian);
        query.patient = uint160(patient);
        query.commitment = commitment;
        query.seriesCommitment = _actors.seriesAt(s);
        query.reader = uint160(_actors.readerAt(r));
        query.purpose = 1 << (mask & 1);
        query.action = 1 << (mask >> 1);
        query.time = block.timestamp;
    }

    function _exams() private view returns (uint256) {
        return _actors.CUSTODIANS() * _actors.PATIENTS() * _actors.COMMITMENTS();
    }

    function _examAt(
        uint256 index
    ) private view returns (address custodian, address patient, bytes32 commitment, ExamId id) {
        custodian = _actors.custodianAt(index);
        patient = _actors.patientAt(index / _actors.CUSTODIANS());
        commitment = _actors.commitmentAt(index / _actors.CUSTODIANS() / _actors.PATIENTS());
        id = Ids.exam(custodian, patient, commitment);
    }
}
