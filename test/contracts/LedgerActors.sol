// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {
    Authorization,
    ExamId,
    Grantee,
    Membership,
    Query,
    Reason,
    Resource
} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {TypedData} from "../../contracts/libraries/TypedData.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {LedgerModel} from "./LedgerModel.sol";
import {Signing} from "./Signing.sol";

/// @title LedgerActors
/// @notice Custodians, operators, patients who are each other's guardians, receivers and readers, and relayers, who act at
/// random on one ledger. What they do is noted in the model, and what a single act must not do is held against it at once.
contract LedgerActors is LedgerModel, Signing {
    /// @dev A grant that a patient signed, and how things stood then.
    struct Signed {
        address patient;
        Resource resource;
        address reader;
        uint256[4] terms;
        uint256 nonce;
        uint256 epoch;
        Authorization by;
        uint256 revokes;
        uint256 revokeAlls;
        uint256 departures;
    }

    uint256 public constant CUSTODIANS = 2;
    uint256 public constant PEOPLE = 3;
    uint256 public constant SERIES = 1;

    ConsentLedger public immutable LEDGER;

    address[PEOPLE] private _people;
    Signed[] private _signed;

    constructor(ConsentLedger ledger) {
        LEDGER = ledger;
        for (uint256 i = 0; i < PEOPLE; ++i) _people[i] = VM.addr(_keyAt(i));
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + _between(time, 1, 3 hours));
    }

    // Custodians

    function register(uint256 who, uint256 whose, uint256 how) external {
        (address custodian, address patient, bytes32 commitment) = (
            custodianAt(who),
            personAt(whose),
            commitmentOf(personAt(whose))
        );
        ExamId id = Ids.exam(custodian, patient, commitment);
        bool done =
            how % 3 == 2
                ? _registerByBatch(custodian, patient, commitment)
                : _register(custodian, patient, commitment, how % 3 == 1);
        Exam storage exam = _exams[id];
        if (done) {
            _true(exam.registrations == 0 && !exam.retired, "registered again, or after it was retired");
            (exam.registrations, exam.version, exam.owner) = (1, 1, patient);
        } else {
            _true(exam.registrations == 1 || exam.retired, "refused a fresh id");
        }
    }

    function amend(uint256 who, uint256 whose) external {
        (address custodian, address patient) = (custodianAt(who), personAt(whose));
        Exam storage exam = _exams[examAt(who, whose)];
        VM.prank(custodian);
        try LEDGER.amend(custodian, patient, commitmentOf(patient), bytes32(who)) {
            ++exam.version;
            _true(exam.registrations == 1 && !exam.retired, "amended what is not live");
        } catch {
            _true(exam.registrations == 0 || exam.retired, "refused to amend a live exam");
        }
    }

    /// @dev Rare, so that most exams live through most of a run.
    function retire(uint256 who, uint256 whose, uint256 chance) external {
        if (chance % 16 != 0) return;
        Exam storage exam = _exams[examAt(who, whose)];
        VM.prank(custodianAt(who));
        try LEDGER.retire(personAt(whose), commitmentOf(personAt(whose))) {
            exam.retired = true;
        } catch {
            _true(exam.retired, "refused to retire");
        }
    }

    // Patients, and who acts for them

    function grant(
        uint256 who,
        uint256 whose,
        uint256 which,
        uint256 to,
        uint256 when,
        uint256 masks
    ) external {
        (address sender, address patient, address reader) = (personAt(who), personAt(whose), personAt(to));
        Resource[] memory resources = _resourcesAt(which, sender == patient && when % 2 == 0 ? 1 : 2);
        uint256[4] memory terms = _termsAt(when, masks);
        if (sender == patient && resources.length == 1) {
            VM.prank(patient);
            LEDGER.grant(resources[0], _grantee(reader), _pack(terms));
        } else {
            VM.prank(sender);
            try LEDGER.grantBatch(patient, resources, _grantee(reader), _pack(terms)) {
                _true(mayActFor(patient, sender), "granted for a patient who did not name them");
            } catch {
                return _true(!mayActFor(patient, sender), "refused who may grant");
            }
        }
        for (uint256 i = 0; i < resources.length; ++i) _noteGrant(patient, resources[i], reader, terms);
    }

    function revoke(uint256 who, uint256 whose, uint256 which, uint256 from) external {
        (address sender, address patient, address reader) = (personAt(who), personAt(whose), personAt(from));
        Resource[] memory resources = _resourcesAt(which, sender == patient ? 1 : 2);
        if (sender == patient) {
            VM.prank(patient);
            LEDGER.revoke(resources[0], _grantee(reader));
        } else {
            VM.prank(sender);
            try LEDGER.revokeBatch(patient, resources, _grantee(reader)) {
                _true(mayActFor(patient, sender), "revoked for a patient who did not name them");
            } catch {
                return _true(!mayActFor(patient, sender), "refused who may revoke");
            }
        }
        for (uint256 i = 0; i < resources.length; ++i) _noteRevoke(patient, resources[i], reader);
    }

    /// @dev Rare, like retiring.
    function revokeAll(uint256 who, uint256 whose, uint256 chance) external {
        if (chance % 8 != 0) return;
        (address sender, address patient) = (personAt(who), personAt(whose));
        VM.prank(sender);
        try LEDGER.revokeAll(patient) {
            _true(mayActFor(patient, sender), "revoked all for a patient who did not name them");
            _noteRevokeAll(patient);
            _nothingIsOpenOf(patient);
        } catch {
            _true(!mayActFor(patient, sender), "refused who may revoke all");
        }
    }

    function nameGuardian(uint256 whose, uint256 who, uint256 time) external {
        uint40 until = uint40(block.timestamp - 1 hours + _between(time, 0, 12 hours));
        VM.prank(personAt(whose));
        LEDGER.nameGuardian(personAt(who), until);
        _namings[personAt(whose)][personAt(who)] = Naming(until, block.timestamp);
    }

    function handOver(uint256 who, uint256 at, uint256 whose, uint256 to) external {
        ExamId id = examAt(at, whose);
        Exam storage exam = _exams[id];
        VM.prank(personAt(who));
        try LEDGER.handOver(id, personAt(to)) {
            _true(exam.owner == personAt(who) && !exam.retired, "handed over what is not theirs");
            (exam.offeredTo, exam.offeredAt) = (personAt(to), block.timestamp);
        } catch {
            _true(exam.owner != personAt(who) || exam.retired, "refused to hand over");
        }
    }

    function accept(uint256 at, uint256 whose, uint256 who) external {
        ExamId id = examAt(at, whose);
        Exam storage exam = _exams[id];
        bool offered = exam.offeredTo == personAt(who) && exam.offeredAt > revokedAllAt[exam.owner];
        VM.prank(personAt(who));
        try LEDGER.accept(id) {
            _true(offered && !exam.retired, "accepted what was not offered");
            _noteHandOver(id, personAt(who));
        } catch {
            _true(!offered || exam.retired, "refused to accept");
        }
    }

    // Signatures

    function sign(uint256 whose, uint256 which, uint256 to, uint256 when, uint256 masks) external {
        (address patient, address reader) = (personAt(whose), personAt(to));
        Signed storage signed = _signed.push();
        (signed.patient, signed.reader) = (patient, reader);
        (signed.resource, signed.terms) = (resourceAt(which), _termsAt(when, masks));
        signed.nonce = LEDGER.grantOf(patient, signed.resource, _grantee(reader)).nonce;
        signed.epoch = LEDGER.patientOf(patient).epoch;
        signed.revokes = _kept[patient][signed.resource][reader].revokes;
        (signed.revokeAlls, signed.departures) = (revokeAlls[patient], departures[patient]);
        uint256 deadline = block.timestamp + _between(when, 1, 1 days);
        signed.by = Authorization(patient, deadline, _signature(signed, whose % PEOPLE, deadline));
    }

    /// @notice A stranger sends what was signed, at any time and again and again.
    function send(uint256 index) external {
        if (_signed.length == 0) return;
        Signed memory signed = _signed[index % _signed.length];
        (address patient, Grantee grantee) = (signed.patient, _grantee(signed.reader));
        uint256 before = LEDGER.grantOf(patient, signed.resource, grantee).nonce;
        try
            LEDGER.grantBySig(
                signed.resource,
                grantee,
                _pack(signed.terms),
                signed.nonce,
                signed.epoch,
                signed.by
            )
        {
            if (LEDGER.grantOf(patient, signed.resource, grantee).nonce == before) return;
            Kept storage kept = _kept[patient][signed.resource][signed.reader];
            _true(kept.revokes == signed.revokes, "a signature outlived a revoke");
            _true(revokeAlls[patient] == signed.revokeAlls, "a signature outlived a revokeAll");
            _true(departures[patient] == signed.departures, "a signature outlived a hand-over");
            _true(block.timestamp < signed.by.deadline, "a signature outlived its deadline");
            _true(before == signed.nonce, "a signature outlived another act");
            _noteGrant(patient, signed.resource, signed.reader, signed.terms);
        } catch {
            bool moved = before != signed.nonce || LEDGER.patientOf(patient).epoch != signed.epoch;
            _true(moved || block.timestamp >= signed.by.deadline, "refused a fresh signature");
        }
    }

    /// @dev Custodians and operators grant and revoke under their own names, on patients' exams.
    function meddle(uint256 who, uint256 which, uint256 to, bool all) external {
        address meddler = who % 2 == 0 ? custodianAt(who / 2) : operatorOf(custodianAt(who / 2));
        (Resource resource, Grantee grantee) = (resourceAt(which), _grantee(personAt(to)));
        Terms everything = Terms.wrap(type(uint128).max - type(uint40).max);
        VM.prank(meddler);
        LEDGER.grant(resource, grantee, everything);
        VM.prank(meddler);
        LEDGER.revoke(resource, grantee);
        VM.prank(meddler);
        if (all) LEDGER.revokeAll(meddler);
        else LEDGER.grant(resource, grantee, everything);
    }

    // The cast

    function custodianAt(uint256 index) public pure returns (address) {
        return address(uint160(0xC0000 + (index % CUSTODIANS)));
    }

    function operatorOf(address custodian) public pure returns (address) {
        return address(uint160(custodian) + 0x100);
    }

    function personAt(uint256 index) public view returns (address) {
        return _people[index % PEOPLE];
    }

    function commitmentOf(address patient) public pure returns (bytes32) {
        return keccak256(abi.encode("commitment", patient));
    }

    function seriesAt(uint256 index) public pure returns (bytes32) {
        return index % (SERIES + 1) == 0 ? bytes32(0) : keccak256(abi.encode("series", index % (SERIES + 1)));
    }

    /// @notice Each person has one exam at each custodian.
    function examAt(uint256 at, uint256 whose) public view returns (ExamId) {
        return Ids.exam(custodianAt(at), personAt(whose), commitmentOf(personAt(whose)));
    }

    /// @notice All exams, all at a custodian, an exam of anybody's, or a series of it.
    function resourceAt(uint256 index) public view returns (Resource) {
        if (index % 5 == 0) return Ids.allExams();
        if (index % 5 == 1) return Ids.examsAt(custodianAt(index / 5));
        ExamId id = examAt(index / 5, index / 5 / CUSTODIANS);
        return index % 5 == 2 ? Ids.series(id, seriesAt(1)) : Ids.whole(id);
    }

    // Within

    function _register(
        address custodian,
        address patient,
        bytes32 commitment,
        bool byOperator
    ) private returns (bool) {
        if (byOperator) {
            VM.prank(custodian);
            LEDGER.setOperator(operatorOf(custodian), true);
        }
        VM.prank(byOperator ? operatorOf(custodian) : custodian);
        try LEDGER.register(custodian, patient, commitment, 0) {
            return true;
        } catch {
            return false;
        }
    }

    function _registerByBatch(address custodian, address patient, bytes32 commitment) private returns (bool) {
        bytes32 leaf = Ids.pointer(Ids.exam(custodian, patient, commitment), 0);
        if (LEDGER.batchOf(custodian, leaf) == 0) {
            VM.prank(custodian);
            LEDGER.registerBatch(custodian, leaf, 1);
        }
        try LEDGER.claim(custodian, patient, commitment, Membership(leaf, 0, new bytes32[](0))) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Held right after a revokeAll: whoever asks for whatever of the patient's exams is denied.
    function _nothingIsOpenOf(address patient) private view {
        for (uint256 i = 0; i < CUSTODIANS * PEOPLE; ++i) {
            if (_exams[examAt(i, i / CUSTODIANS)].owner != patient) continue;
            for (uint256 r = 0; r < PEOPLE; ++r) {
                if (personAt(r) == patient) continue;
                for (uint256 s = 0; s <= SERIES; ++s) {
                    (Reason reason, ) = LEDGER.check(queryAt(i, i / CUSTODIANS, s, r, 0));
                    _true(reason != Reason.Permitted, "open after revokeAll");
                }
            }
        }
    }

    /// @notice What a person may ask for, now.
    function queryAt(
        uint256 at,
        uint256 whose,
        uint256 series,
        uint256 who,
        uint256 mask
    ) public view returns (Query memory query) {
        query.custodian = uint160(custodianAt(at));
        query.patient = uint160(personAt(whose));
        query.commitment = commitmentOf(personAt(whose));
        query.seriesCommitment = seriesAt(series);
        query.reader = uint160(personAt(who));
        query.purpose = 1 << (mask & 1);
        query.action = 1 << ((mask >> 1) & 1);
        query.time = block.timestamp;
    }

    function _keyAt(uint256 index) private pure returns (uint256) {
        return 0xA11CE + (index % PEOPLE);
    }

    function _grantee(address reader) private pure returns (Grantee) {
        return Ids.plain(reader);
    }

    function _resourcesAt(uint256 which, uint256 count) private view returns (Resource[] memory resources) {
        resources = new Resource[](count);
        for (uint256 i = 0; i < count; ++i) resources[i] = resourceAt(which / (i + 1));
    }

    function _termsAt(uint256 when, uint256 masks) private view returns (uint256[4] memory terms) {
        terms[0] = block.timestamp - 1 hours + _between(when, 0, 2 hours);
        terms[1] = terms[0] + _between(when >> 64, 1, 12 hours);
        (terms[2], terms[3]) = (_between(masks, 1, 3), _between(masks >> 8, 1, 3));
    }

    function _pack(uint256[4] memory terms) private pure returns (Terms) {
        return Terms.wrap(terms[0] | (terms[1] << 40) | (terms[2] << 80) | (terms[3] << 112));
    }

    function _signature(
        Signed storage signed,
        uint256 who,
        uint256 deadline
    ) private view returns (bytes memory) {
        bytes32 hash = TypedData.grant(
            signed.patient,
            signed.resource,
            _grantee(signed.reader),
            _pack(signed.terms),
            signed.nonce,
            signed.epoch,
            deadline
        );
        return _sign(_keyAt(who), "ExamKey", address(LEDGER), hash);
    }
}
