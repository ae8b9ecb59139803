// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessLog} from "../../contracts/AccessLog.sol";
import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {ExamId, Grantee} from "../../contracts/interfaces/IConsentLedger.sol";
import {Anchor} from "../../contracts/interfaces/IAccessLog.sol";
import {Opening} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {Deploy} from "./Deploy.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {PeripheryActors} from "./PeripheryActors.sol";

/// @title PeripheryInvariantsTest
/// @notice What stays true of anchors and emergencies. The properties are told in `contracts/PROPERTIES.md`.
contract PeripheryInvariantsTest is LedgerTest {
    AccessLog private _log;
    EmergencyAccess private _emergencies;
    PeripheryActors private _actors;

    function setUp() public override {
        super.setUp();
        _log = Deploy.accessLog(ledger);
        _emergencies = Deploy.emergencyAccess(ledger);
        _actors = new PeripheryActors(_log, _emergencies, PATIENT, COMMITMENT);
        for (uint256 i = 0; i < _actors.CUSTODIANS(); ++i) {
            address custodian = _actors.custodianAt(i);
            VM.prank(custodian);
            ledger.register(custodian, PATIENT, COMMITMENT, ROOT);
            VM.prank(custodian);
            _emergencies.setPractitioner(_actors.badgeAt(i), true);
        }
        _target(address(_actors));
    }

    function invariant_AnchorsAreGapless() external view {
        for (uint256 i = 0; i < _actors.CUSTODIANS(); ++i) {
            address custodian = _actors.custodianAt(i);
            uint256 next = 1;
            for (uint256 a = 0; a < _log.anchorCount(custodian); ++a) {
                Anchor memory anchor = _log.anchorOf(custodian, a);
                _equal(anchor.first, next);
                _true(anchor.last >= anchor.first, "covers nothing");
                next = uint256(anchor.last) + 1;
            }
            _equal(_log.nextSequence(custodian), next);
            _equal(_actors.anchored(custodian) + 1, next);
        }
    }

    function invariant_EmergenciesAreShort() external view {
        for (uint256 i = 0; i < _actors.CUSTODIANS(); ++i) {
            for (uint256 r = 0; r < 2; ++r) {
                (ExamId id, Grantee reader) = (_actors.examAt(i), _actors.readerAt(r));
                Opening memory opening = _emergencies.openingOf(id, reader);
                _true(opening.until <= opening.openedAt + 4 hours, "too long");
                _true(!_emergencies.isOpen(id, reader, uint256(opening.openedAt) + 4 hours), "still open");
            }
        }
    }

    /// @dev Whatever was opened within a day of the last time was signed by two.
    function invariant_NotAgainWithinADayByOne() external view {
        PeripheryActors.Opened[] memory all = _actors.opened();
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i].byTwo) continue;
            for (uint256 j = 0; j < i; ++j) {
                bool sameExam = ExamId.unwrap(all[i].examId) == ExamId.unwrap(all[j].examId);
                _true(!sameExam || all[i].time >= all[j].time + 1 days, "again within a day");
            }
        }
    }

    function invariant_EmergenciesAreCountedForTheExam() external view {
        PeripheryActors.Opened[] memory all = _actors.opened();
        for (uint256 i = 0; i < _actors.CUSTODIANS(); ++i) {
            uint256 expected = 0;
            for (uint256 j = 0; j < all.length; ++j) {
                if (ExamId.unwrap(all[j].examId) == ExamId.unwrap(_actors.examAt(i))) ++expected;
            }
            (uint64 count, ) = _emergencies.historyOf(_actors.examAt(i));
            _equal(count, expected);
        }
    }
}
