// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessLog} from "../../contracts/AccessLog.sol";
import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {ExamId, Grantee} from "../../contracts/interfaces/IConsentLedger.sol";
import {Emergency, EmergencyReason} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {EmergencySigning} from "./EmergencySigning.sol";

/// @title PeripheryActors
/// @notice Custodians who anchor and who open exams for practitioners, and strangers who try the same, at random.
contract PeripheryActors is EmergencySigning {
    /// @dev One emergency that was opened: when, and by how many.
    struct Opened {
        ExamId examId;
        uint256 time;
        bool byTwo;
    }

    uint256 public constant CUSTODIANS = 2;
    uint256 public constant BADGES = 3;

    AccessLog public immutable LOG;
    EmergencyAccess public immutable EMERGENCIES;
    bytes32 public immutable COMMITMENT;
    address public immutable PATIENT;

    address[BADGES] private _badges;
    Opened[] private _opened;
    mapping(address custodian => uint256) public anchored;

    constructor(AccessLog log, EmergencyAccess emergencies, address patient, bytes32 commitment) {
        (LOG, EMERGENCIES, PATIENT, COMMITMENT) = (log, emergencies, patient, commitment);
        for (uint256 i = 0; i < BADGES; ++i) _badges[i] = VM.addr(_keyAt(i));
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + _between(time, 1, 12 hours));
    }

    /// @dev Mostly what comes next, and sometimes something else; a third by a stranger.
    function anchor(uint256 who, uint256 whose, uint256 size, uint256 shift) external {
        address custodian = custodianAt(whose);
        address sender = _senderAt(who, whose);
        uint256 next = anchored[custodian] + 1;
        uint64 first = uint64(shift % 4 == 0 ? _between(shift, 0, 2 * next) : next);
        uint64 last = uint64(first + _between(size, 0, 50) - (size % 7 == 0 && first > 0 ? 1 : 0));
        VM.prank(sender);
        try LOG.anchor(custodian, keccak256(abi.encode(size)), first, last) {
            _true(sender == custodian && first == next && last >= first, "anchored what it may not");
            anchored[custodian] = last;
        } catch {
            _true(sender != custodian || first != next || last < first, "refused what comes next");
        }
    }

    function name(uint256 whose, uint256 which, bool named) external {
        VM.prank(custodianAt(whose));
        EMERGENCIES.setPractitioner(badgeAt(which), named);
    }

    /// @dev Signed by one, by two, or by one twice; for a time that is too long in a third of all cases; a third by a stranger.
    function open(uint256 whose, uint256 which, uint256 second, uint256 time, uint256 who) external {
        Emergency memory emergency;
        ExamId id = examAt(whose);
        (emergency.custodian, emergency.patient) = (custodianAt(whose), PATIENT);
        (emergency.commitment, emergency.reader) = (COMMITMENT, readerAt(who));
        emergency.reason = EmergencyReason.LifeThreatening;
        emergency.until = uint40(block.timestamp + _between(time, 0, 6 hours));
        (emergency.count, ) = EMERGENCIES.historyOf(id);
        bool byTwo = second % 2 == 0;
        address sender = _senderAt(who, whose);
        VM.prank(sender);
        try
            EMERGENCIES.open(
                emergency,
                badgeAt(which),
                _signed(which, emergency),
                byTwo ? badgeAt(second / 2) : address(0),
                byTwo ? _signed(second / 2, emergency) : bytes("")
            )
        {
            _true(sender == custodianAt(whose), "sent by a stranger");
            _true(EMERGENCIES.isPractitioner(custodianAt(whose), badgeAt(which)), "by who is not named");
            _true(!byTwo || badgeAt(which) != badgeAt(second / 2), "by one who signed twice");
            _opened.push(Opened(id, block.timestamp, byTwo));
        } catch {
            bool mayBe = sender != custodianAt(whose) || _mayBeRefused(whose, which, second, emergency.until);
            _true(mayBe, "refused an emergency");
        }
    }

    function close(uint256 whose, uint256 who) external {
        bool isOpen = EMERGENCIES.isOpen(examAt(whose), readerAt(who), block.timestamp);
        address sender = _senderAt(who, whose);
        VM.prank(sender);
        try EMERGENCIES.close(custodianAt(whose), PATIENT, COMMITMENT, readerAt(who)) {
            _true(isOpen && sender == custodianAt(whose), "closed what was not open, or by a stranger");
        } catch {
            _true(!isOpen || sender != custodianAt(whose), "refused to close");
        }
    }

    /// @notice Everything that was ever opened, in order.
    function opened() external view returns (Opened[] memory) {
        return _opened;
    }

    function custodianAt(uint256 index) public pure returns (address) {
        return address(uint160(0xC0000 + (index % CUSTODIANS)));
    }

    function examAt(uint256 index) public view returns (ExamId) {
        return Ids.exam(custodianAt(index), PATIENT, COMMITMENT);
    }

    function readerAt(uint256 index) public pure returns (Grantee) {
        return Ids.blinded(address(0x4EAD), bytes32(index % 2));
    }

    function badgeAt(uint256 index) public view returns (address) {
        return _badges[index % BADGES];
    }

    function _mayBeRefused(
        uint256 whose,
        uint256 which,
        uint256 second,
        uint256 until
    ) private view returns (bool) {
        address custodian = custodianAt(whose);
        if (until <= block.timestamp || until > block.timestamp + 4 hours) return true;
        if (!EMERGENCIES.isPractitioner(custodian, badgeAt(which))) return true;
        if (second % 2 == 0) {
            address other = badgeAt(second / 2);
            return other == badgeAt(which) || !EMERGENCIES.isPractitioner(custodian, other);
        }
        (, uint40 lastOpenedAt) = EMERGENCIES.historyOf(examAt(whose));
        return block.timestamp < lastOpenedAt + 1 days;
    }

    function _senderAt(uint256 who, uint256 whose) private pure returns (address) {
        return who % 3 == 0 ? address(0x5742) : custodianAt(whose);
    }

    function _keyAt(uint256 index) private pure returns (uint256) {
        return 0xD0C + (index % BADGES);
    }

    function _signed(uint256 which, Emergency memory emergency) private view returns (bytes memory) {
        return _signEmergency(_keyAt(which), address(EMERGENCIES), emergency);
    }
}
