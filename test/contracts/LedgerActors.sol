// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {ExamId, Grantee, Query, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {Test} from "./Test.sol";

/// @title LedgerActors
/// @notice Custodians, patients and readers who act at random, and a plain model of what they did.
contract LedgerActors is Test {
    /// @dev What the model keeps of a grant, in the plainest form.
    struct Kept {
        uint256 notBefore;
        uint256 notAfter;
        uint256 purposes;
        uint256 actions;
        uint256 grantedAt;
        bool granted;
        bool revoked;
        uint256 writes;
    }

    uint256 public constant CUSTODIANS = 2;
    uint256 public constant PATIENTS = 2;
    uint256 public constant READERS = 2;
    uint256 public constant COMMITMENTS = 1;
    uint256 public constant SERIES = 1;

    ConsentLedger public immutable LEDGER;

    mapping(ExamId => uint256) public registrations;
    mapping(ExamId => bool) public isRetired;
    mapping(ExamId => uint256) public versions;
    mapping(address patient => uint256) public revokedAllAt;
    mapping(address patient => mapping(Resource => mapping(address reader => Kept))) private _kept;

    constructor(ConsentLedger ledger) {
        LEDGER = ledger;
    }

    // Acts

    function wait(uint256 time) external {
        VM.warp(block.timestamp + _between(time, 1, 3 hours));
    }

    function register(uint256 who, uint256 whose, uint256 what, bool byOperator) external {
        (address custodian, address patient, bytes32 commitment) = (
            custodianAt(who),
            patientAt(whose),
            commitmentAt(what)
        );
        ExamId id = Ids.exam(custodian, patient, commitment);
        if (byOperator) {
            VM.prank(custodian);
            LEDGER.setOperator(operatorOf(custodian), true);
        }
        VM.prank(byOperator ? operatorOf(custodian) : custodian);
        try LEDGER.register(custodian, patient, commitment, bytes32(what)) {
            ++registrations[id];
            versions[id] = 1;
            _true(!isRetired[id], "registered after it was retired");
        } catch {
            _true(registrations[id] == 1 || isRetired[id], "refused a fresh id");
        }
    }

    function amend(uint256 who, uint256 whose, uint256 what) external {
        (address custodian, address patient) = (custodianAt(who), patientAt(whose));
        ExamId id = Ids.exam(custodian, patient, commitmentAt(what));
        VM.prank(custodian);
        try LEDGER.amend(custodian, patient, commitmentAt(what), bytes32(what)) {
            ++versions[id];
            _true(registrations[id] == 1 && !isRetired[id], "amended what is not live");
        } catch {
            _true(registrations[id] == 0 || isRetired[id], "refused to amend a live exam");
        }
    }

    /// @dev Rare, so that most exams live through most of a run.
    function retire(uint256 who, uint256 whose, uint256 what, uint256 chance) external {
        if (chance % 8 != 0) return;
        address custodian = custodianAt(who);
        ExamId id = Ids.exam(custodian, patientAt(whose), commitmentAt(what));
        VM.prank(custodian);
        try LEDGER.retire(patientAt(whose), commitmentAt(what)) {
            isRetired[id] = true;
        } catch {
            _true(isRetired[id], "refused to retire");
        }
    }

    function grant(
        uint256 whose,
        uint256 which,
        uint256 to,
        uint256 from,
        uint256 length,
        uint256 masks
    ) external {
        address patient = patientAt(whose);
        (Resource resource, address reader) = (resourceAt(patient, which), readerAt(to));
        uint256 notBefore = block.timestamp - 1 hours + _between(from, 0, 2 hours);
        uint256 notAfter = notBefore + _between(length, 1, 12 hours);
        (uint256 purposes, uint256 actions) = (_between(masks, 1, 3), _between(masks >> 8, 1, 3));

        VM.prank(patient);
        LEDGER.grant(
            resource,
            Grantee.wrap(bytes32(uint256(uint160(reader)))),
            Terms.wrap(notBefore | (notAfter << 40) | (purposes << 80) | (actions << 112))
        );
        Kept storage kept = _kept[patient][resource][reader];
        (kept.notBefore, kept.notAfter, kept.purposes, kept.actions) = (
            notBefore,
            notAfter,
            purposes,
            actions
        );
        (kept.grantedAt, kept.granted, kept.revoked) = (block.timestamp, true, false);
        ++kept.writes;
    }

    function revoke(uint256 whose, uint256 which, uint256 from) external {
        address patient = patientAt(whose);
        (Resource resource, address reader) = (resourceAt(patient, which), readerAt(from));
        VM.prank(patient);
        LEDGER.revoke(resource, Grantee.wrap(bytes32(uint256(uint160(reader)))));
        Kept storage kept = _kept[patient][resource][reader];
        (kept.granted, kept.revoked) = (false, true);
        ++kept.writes;
    }

    /// @dev Rare, like retiring.
    function revokeAll(uint256 whose, uint256 chance) external {
        if (chance % 8 != 0) return;
        VM.prank(patientAt(whose));
        LEDGER.revokeAll(patientAt(whose));
        revokedAllAt[patientAt(whose)] = block.timestamp;
    }

    /// @dev Custodians, operators and readers grant and revoke under their own names, on patients' exams.
    function meddle(uint256 who, uint256 whose, uint256 which, uint256 to, bool all) external {
        address[3] memory meddlers = [custodianAt(who), operatorOf(custodianAt(who)), readerAt(who)];
        address meddler = meddlers[who % 3];
        Resource resource = resourceAt(patientAt(whose), which);
        Grantee grantee = Grantee.wrap(bytes32(uint256(uint160(readerAt(to)))));
        VM.prank(meddler);
        LEDGER.grant(resource, grantee, Terms.wrap(type(uint128).max - type(uint40).max));
        VM.prank(meddler);
        LEDGER.revoke(resource, grantee);
        VM.prank(meddler);
        if (all) LEDGER.revokeAll(meddler);
        else LEDGER.grant(resource, grantee, Terms.wrap(type(uint128).max - type(uint40).max));
    }

    // The model

    function keptOf(address patient, Resource resource, address reader) external view returns (Kept memory) {
        return _kept[patient][resource][reader];
    }

    /// @notice Whether the model permits: one live grant, of the series or else of the exam, that satisfies all.
    function permits(Query calldata query) external view returns (bool) {
        address patient = address(uint160(query.patient));
        ExamId id = Ids.exam(address(uint160(query.custodian)), patient, query.commitment);
        if (registrations[id] == 0 || isRetired[id]) return false;
        if (query.reader == query.patient) return true;
        if (query.seriesCommitment != 0) {
            Kept memory narrow = _kept[patient][Ids.series(id, query.seriesCommitment)][
                address(uint160(query.reader))
            ];
            if (narrow.revoked) return false;
            if (_satisfies(narrow, patient, query)) return true;
        }
        return _satisfies(_kept[patient][Ids.whole(id)][address(uint160(query.reader))], patient, query);
    }

    function _satisfies(Kept memory kept, address patient, Query calldata query) private view returns (bool) {
        bool alive = kept.granted && kept.grantedAt > revokedAllAt[patient];
        bool inTime = query.time >= kept.notBefore && query.time < kept.notAfter;
        return alive && inTime && kept.purposes & query.purpose != 0 && kept.actions & query.action != 0;
    }

    // The cast

    function custodianAt(uint256 index) public pure returns (address) {
        return address(uint160(0xC0000 + (index % CUSTODIANS)));
    }

    function operatorOf(address custodian) public pure returns (address) {
        return address(uint160(custodian) + 0x100);
    }

    function patientAt(uint256 index) public pure returns (address) {
        return address(uint160(0xA0000 + (index % PATIENTS)));
    }

    function readerAt(uint256 index) public pure returns (address) {
        return address(uint160(0xE0000 + (index % READERS)));
    }

    function commitmentAt(uint256 index) public pure returns (bytes32) {
        return keccak256(abi.encode("commitment", index % COMMITMENTS));
    }

    function seriesAt(uint256 index) public pure returns (bytes32) {
        return index % (SERIES + 1) == 0 ? bytes32(0) : keccak256(abi.encode("series", index % (SERIES + 1)));
    }

    /// @notice One of a patient's exams, or of their series.
    function resourceAt(address patient, uint256 index) public pure returns (Resource) {
        ExamId id = Ids.exam(custodianAt(index), patient, commitmentAt(index / CUSTODIANS));
        bytes32 series = seriesAt(index / CUSTODIANS / COMMITMENTS);
        return series == 0 ? Ids.whole(id) : Ids.series(id, series);
    }
}
