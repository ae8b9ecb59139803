// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamId, Query, Resource} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Test} from "./Test.sol";

/// @title LedgerModel
/// @notice What actors did to a ledger, kept in the plainest form, and what follows from it.
abstract contract LedgerModel is Test {
    /// @dev What a slot holds, and how often it was written and revoked.
    struct Kept {
        uint256 notBefore;
        uint256 notAfter;
        uint256 purposes;
        uint256 actions;
        uint256 grantedAt;
        bool granted;
        bool revoked;
        uint256 writes;
        uint256 revokes;
    }

    struct Exam {
        uint256 registrations;
        bool retired;
        uint256 version;
        address owner;
        uint256 ownedSince;
        address offeredTo;
        uint256 offeredAt;
    }

    struct Naming {
        uint256 until;
        uint256 namedAt;
    }

    mapping(ExamId => Exam) internal _exams;
    mapping(address patient => uint256) public revokedAllAt;
    mapping(address patient => uint256) public revokeAlls;
    mapping(address patient => uint256) public departures;
    mapping(address patient => mapping(address guardian => Naming)) internal _namings;
    mapping(address patient => mapping(Resource => mapping(address reader => Kept))) internal _kept;

    function examOf(ExamId id) external view returns (Exam memory) {
        return _exams[id];
    }

    function keptOf(address patient, Resource resource, address reader) external view returns (Kept memory) {
        return _kept[patient][resource][reader];
    }

    /// @notice Whether somebody may act for a patient: they themselves, or who is named, and not dismissed since.
    function mayActFor(address patient, address sender) public view returns (bool) {
        Naming memory naming = _namings[patient][sender];
        bool named = naming.until > block.timestamp && naming.namedAt > revokedAllAt[patient];
        return sender == patient || named;
    }

    /// @notice Whether one live grant of the owner's satisfies all, and no narrower one was revoked.
    function permits(Query calldata query) external view returns (bool) {
        ExamId id = Ids.exam(
            address(uint160(query.custodian)),
            address(uint160(query.patient)),
            query.commitment
        );
        Exam memory exam = _exams[id];
        if (exam.registrations == 0 || exam.retired) return false;
        if (query.reader == uint160(exam.owner)) return true;

        bool ofSeries = query.seriesCommitment != 0;
        Resource[4] memory resources = [
            ofSeries ? Ids.series(id, query.seriesCommitment) : Ids.whole(id),
            Ids.whole(id),
            Ids.examsAt(address(uint160(query.custodian))),
            Ids.allExams()
        ];
        for (uint256 i = 0; i < 4; ++i) {
            Kept memory kept = _kept[exam.owner][resources[i]][address(uint160(query.reader))];
            if (kept.revoked) return false;
            if (_satisfies(kept, exam, i < 2, query)) return true;
        }
        return false;
    }

    function _satisfies(
        Kept memory kept,
        Exam memory exam,
        bool endsWithOwnership,
        Query calldata query
    ) private view returns (bool) {
        bool alive =
            kept.granted &&
                kept.grantedAt > revokedAllAt[exam.owner] &&
                (!endsWithOwnership || kept.grantedAt > exam.ownedSince);
        bool inTime = query.time >= kept.notBefore && query.time < kept.notAfter;
        return alive && inTime && kept.purposes & query.purpose != 0 && kept.actions & query.action != 0;
    }

    // What is noted of each act

    function _noteGrant(
        address patient,
        Resource resource,
        address reader,
        uint256[4] memory terms
    ) internal {
        Kept storage kept = _kept[patient][resource][reader];
        (kept.notBefore, kept.notAfter, kept.purposes, kept.actions) = (
            terms[0],
            terms[1],
            terms[2],
            terms[3]
        );
        (kept.grantedAt, kept.granted, kept.revoked) = (block.timestamp, true, false);
        ++kept.writes;
    }

    function _noteRevoke(address patient, Resource resource, address reader) internal {
        Kept storage kept = _kept[patient][resource][reader];
        (kept.granted, kept.revoked) = (false, true);
        ++kept.writes;
        ++kept.revokes;
    }

    function _noteRevokeAll(address patient) internal {
        revokedAllAt[patient] = block.timestamp;
        ++revokeAlls[patient];
    }

    function _noteHandOver(ExamId id, address to) internal {
        ++departures[_exams[id].owner];
        (_exams[id].owner, _exams[id].ownedSince) = (to, block.timestamp);
        (_exams[id].offeredTo, _exams[id].offeredAt) = (address(0), 0);
    }
}
