// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamId, Grant, Pointer, Query, Reason, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerActors} from "./LedgerActors.sol";
import {LedgerIntruders} from "./LedgerIntruders.sol";
import {LedgerModel} from "./LedgerModel.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerInvariantsTest
/// @notice What stays true whatever custodians, patients, guardians, readers and relayers do, in whatever order. The
/// properties are told in `contracts/PROPERTIES.md`; what one act must not do is held against it in `LedgerActors`.
/// @dev Run it with the whole suite (`--grep invariant_`): the fuzzer finds the actors among the files compiled.
contract ConsentLedgerInvariantsTest is LedgerTest {
    LedgerActors private _actors;

    function setUp() public override {
        super.setUp();
        _grant(exam, _plain());
        _revoke(series);
        _actors = new LedgerActors(ledger);
        _target(address(_actors));
        _target(address(_intruders()));
    }

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

    function invariant_CheckAgreesWithTheModel() external view {
        for (uint256 i = 0; i < _exams(); ++i) {
            for (uint256 s = 0; s <= _actors.SERIES(); ++s) {
                for (uint256 r = 0; r < _actors.PEOPLE(); ++r) {
                    for (uint256 mask = 0; mask < 4; ++mask) {
                        _compare(_actors.queryAt(i, i / _actors.CUSTODIANS(), s, r, mask));
                    }
                }
            }
        }
    }

    function invariant_PointersFollowTheirStateMachine() external view {
        for (uint256 i = 0; i < _exams(); ++i) {
            ExamId id = _actors.examAt(i, i / _actors.CUSTODIANS());
            Pointer memory pointer = ledger.pointerOf(id);
            LedgerModel.Exam memory kept = _actors.examOf(id);
            _true(kept.registrations <= 1, "registered twice");
            _true(pointer.retired == kept.retired, "retired");
            _equal(pointer.owner, kept.owner);
            _equal(pointer.ownedSince, kept.ownedSince);
            _equal(pointer.version, kept.version);
            _equal(ledger.offerOf(id).to, kept.offeredTo);
        }
    }

    function invariant_NoncesCountWrites() external view {
        for (uint256 w = 0; w < 5 * _exams(); ++w) {
            Resource resource = _actors.resourceAt(w);
            for (uint256 p = 0; p < _actors.PEOPLE(); ++p) {
                for (uint256 r = 0; r < _actors.PEOPLE(); ++r) {
                    _compareSlot(_actors.personAt(p), resource, _actors.personAt(r));
                }
            }
        }
    }

    function invariant_EpochsCountRevokeAllsAndDepartures() external view {
        for (uint256 p = 0; p < _actors.PEOPLE(); ++p) {
            address patient = _actors.personAt(p);
            _equal(ledger.patientOf(patient).revocations, _actors.revokeAlls(patient));
            _equal(
                ledger.patientOf(patient).epoch,
                _actors.revokeAlls(patient) + _actors.departures(patient)
            );
            _equal(ledger.patientOf(patient).revokedAllAt, _actors.revokedAllAt(patient));
        }
    }

    function invariant_GuardiansAreThoseNamedAndNotDismissed() external view {
        for (uint256 p = 0; p < _actors.PEOPLE(); ++p) {
            for (uint256 g = 0; g < _actors.PEOPLE(); ++g) {
                (address patient, address guardian) = (_actors.personAt(p), _actors.personAt(g));
                bool may = ledger.isGuardian(patient, guardian) || patient == guardian;
                _true(may == _actors.mayActFor(patient, guardian), "guardian");
            }
        }
    }

    /// @dev They reach for the exam of the patient who does nothing.
    function _intruders() private returns (LedgerIntruders) {
        Resource[] memory resources = new Resource[](4);
        (resources[0], resources[1]) = (exam, series);
        (resources[2], resources[3]) = (Ids.examsAt(CUSTODIAN), Ids.allExams());
        address[] memory intruders = new address[](4);
        (intruders[0], intruders[1]) = (CUSTODIAN, OPERATOR);
        (intruders[2], intruders[3]) = (READER, STRANGER);
        return new LedgerIntruders(ledger, PATIENT, READER, examId, resources, intruders);
    }

    function _compare(Query memory query) private view {
        (Reason reason, uint256 validUntil) = ledger.check(query);
        bool permitted = reason == Reason.Permitted;
        _true(permitted == _actors.permits(query), "check and model agree");
        _true(permitted == (validUntil > query.time), "a permit ends in the future");
    }

    function _compareSlot(address patient, Resource resource, address reader) private view {
        Grant memory slot = ledger.grantOf(patient, resource, _grantee(reader));
        LedgerModel.Kept memory kept = _actors.keptOf(patient, resource, reader);
        _equal(slot.nonce, kept.writes);
        _true(slot.revoked == kept.revoked, "revoked");
    }

    function _exams() private view returns (uint256) {
        return _actors.CUSTODIANS() * _actors.PEOPLE();
    }
}
