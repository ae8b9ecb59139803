// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {ExamId, Grantee, Query, Reason} from "../../contracts/interfaces/IConsentLedger.sol";
import {
    Emergency,
    EmergencyReason,
    IEmergencyAccess,
    Opening
} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {Deploy} from "./Deploy.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {EmergencySigning} from "./EmergencySigning.sol";

/// @title EmergencyAccessTest
/// @notice Who opens an exam in an emergency, for how long, and how soon again.
contract EmergencyAccessTest is LedgerTest, EmergencySigning {
    uint256 private constant KEY = 0xD0C;
    uint256 private constant SECOND_KEY = 0xD0C2;
    uint256 private constant STRANGER_KEY = 0xBAD;
    EmergencyReason private constant REASON = EmergencyReason.PatientUnresponsive;

    EmergencyAccess private _emergencies;
    address private _badge;
    address private _second;
    Grantee private _reader;

    function setUp() public override {
        super.setUp();
        _emergencies = Deploy.emergencyAccess(ledger);
        (_badge, _second) = (VM.addr(KEY), VM.addr(SECOND_KEY));
        _reader = Ids.blinded(READER, keccak256("salt"));
        _setPractitioner(_badge, true);
        _setPractitioner(_second, true);
        VM.prank(CUSTODIAN);
        ledger.setOperator(OPERATOR, true);
    }

    function test_SetPractitioner_NamesAndTakesAway() external {
        VM.expectEmit(address(_emergencies));
        emit IEmergencyAccess.PractitionerSet(CUSTODIAN, STRANGER, true);
        _setPractitioner(STRANGER, true);
        _true(_emergencies.isPractitioner(CUSTODIAN, STRANGER), "named");
        _true(!_emergencies.isPractitioner(STRANGER, STRANGER), "for another custodian");
        VM.expectEmit(address(_emergencies));
        emit IEmergencyAccess.PractitionerSet(CUSTODIAN, STRANGER, false);
        _setPractitioner(STRANGER, false);
        _true(!_emergencies.isPractitioner(CUSTODIAN, STRANGER), "no longer named");
    }

    function test_Open_ForWhomAPractitionerSigned() external {
        _equal(address(_emergencies.LEDGER()), address(ledger));
        VM.expectEmit(address(_emergencies));
        emit IEmergencyAccess.EmergencyOpened(
            examId,
            CUSTODIAN,
            _reader,
            _badge,
            address(0),
            REASON,
            NOW + 4 hours
        );
        _equal(ExamId.unwrap(_open(_emergency(0))), ExamId.unwrap(examId));

        Opening memory opening = _emergencies.openingOf(examId, _reader);
        _equal(opening.openedAt, NOW);
        _equal(opening.until, NOW + 4 hours);
        _equal(uint256(opening.reason), uint256(REASON));
        _expectHistory(1, NOW);
    }

    function test_Open_FromItsSecondUntilItsEnd() external {
        _open(_emergency(0));
        _true(!_emergencies.isOpen(examId, _reader, NOW - 1), "before");
        _true(_emergencies.isOpen(examId, _reader, NOW), "at once");
        _true(_emergencies.isOpen(examId, _reader, NOW + 4 hours - 1), "the last second");
        _true(!_emergencies.isOpen(examId, _reader, NOW + 4 hours), "at its end");
        _true(!_emergencies.isOpen(examId, _reader, NOW + 4 hours + 1), "after");
        _true(!_emergencies.isOpen(examId, _grantee(READER), NOW), "for the plain address");
        _true(!_emergencies.isOpen(Ids.exam(CUSTODIAN, PATIENT, ROOT), _reader, NOW), "another exam");
    }

    function test_Open_EndsWithTheRetirementOfTheExam_NotWithItsHandOver() external {
        _open(_emergency(0));
        VM.prank(PATIENT);
        ledger.handOver(examId, STRANGER);
        VM.prank(STRANGER);
        ledger.accept(examId);
        _true(_emergencies.isOpen(examId, _reader, NOW), "handed over");
        _retire(COMMITMENT);
        _true(!_emergencies.isOpen(examId, _reader, NOW), "retired");
    }

    /// @notice `check` knows grants alone: an emergency is none.
    function test_Open_DecidesNothingInTheLedger() external {
        _open(_emergency(0));
        Query memory query = _query();
        query.granteeSalt = keccak256("salt");
        _expect(query, Reason.NotGranted);
    }

    function test_Open_ByTheCustodianAndByItsOperatorAlone() external {
        _openBy(CUSTODIAN, _emergency(0), _badge, _signed(KEY, _emergency(0)), address(0), "");
        Emergency memory emergency = _emergency(1);
        address[3] memory others = [_badge, STRANGER, PATIENT];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectNotOperator(others[i]);
            _openBy(others[i], emergency, _badge, "", _second, "");
        }
    }

    function test_RevertWhen_UntilIsOutOfRange() external {
        Emergency memory emergency = _emergency(0);
        uint256[4] memory wrong = [0, NOW, NOW + 4 hours + 1, type(uint40).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            emergency.until = uint40(wrong[i]);
            VM.expectRevert(
                abi.encodeWithSelector(
                    IEmergencyAccess.EmergencyAccessUntilOutOfRange.selector,
                    wrong[i],
                    NOW + 4 hours
                )
            );
            _open(emergency);
        }
        emergency.until = uint40(NOW + 1);
        _open(emergency);
        _true(_emergencies.isOpen(examId, _reader, NOW), "one second");
    }

    function test_RevertWhen_ThereIsNoReaderOrNoReason() external {
        Emergency memory emergency = _emergency(0);
        emergency.reader = Grantee.wrap(0);
        VM.expectRevert(abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessIncomplete.selector));
        _open(emergency);
        emergency = _emergency(0);
        emergency.reason = EmergencyReason.None;
        VM.expectRevert(abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessIncomplete.selector));
        _open(emergency);
    }

    function test_RevertWhen_TheExamIsUnknownOrRetired() external {
        Emergency memory emergency = _emergency(0);
        emergency.commitment = keccak256("unknown");
        _expectNoExam(Ids.exam(CUSTODIAN, PATIENT, emergency.commitment));
        _open(emergency);
        _retire(COMMITMENT);
        _expectNoExam(examId);
        _open(_emergency(0));
    }

    function test_RevertWhen_ThePractitionerIsNotNamed() external {
        _setPractitioner(_badge, false);
        _expectNotPractitioner(_badge);
        _open(_emergency(0));
        address stranger = VM.addr(STRANGER_KEY);
        _expectNotPractitioner(stranger);
        _openBy(OPERATOR, _emergency(0), stranger, _signed(STRANGER_KEY, _emergency(0)), address(0), "");
    }

    /// @notice An address that nobody has the key of signs nothing, though a custodian may name it.
    function test_RevertWhen_ThePractitionerIsNobody() external {
        _setPractitioner(address(0), true);
        _expectInvalid(address(0));
        _openBy(OPERATOR, _emergency(0), address(0), "", address(0), "");
        _expectInvalid(address(0));
        _openBy(OPERATOR, _emergency(0), address(0), _signed(KEY, _emergency(0)), address(0), "");
    }

    /// @notice Named by one custodian, a practitioner opens nothing of another's.
    function test_RevertWhen_ThePractitionerIsAnotherCustodians() external {
        VM.prank(STRANGER);
        ledger.register(STRANGER, PATIENT, COMMITMENT, ROOT);
        Emergency memory emergency = _emergency(0);
        emergency.custodian = STRANGER;
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessNotPractitioner.selector, STRANGER, _badge)
        );
        _openBy(STRANGER, emergency, _badge, _signed(KEY, emergency), address(0), "");
    }

    function test_RevertWhen_TheSignatureIsForSomethingElse() external {
        bytes memory signature = _signed(KEY, _emergency(0));
        Emergency memory emergency = _emergency(0);
        emergency.reader = _grantee(STRANGER);
        _expectInvalid(_badge);
        _openBy(OPERATOR, emergency, _badge, signature, address(0), "");
        emergency = _emergency(0);
        emergency.reason = EmergencyReason.LifeThreatening;
        _expectInvalid(_badge);
        _openBy(OPERATOR, emergency, _badge, signature, address(0), "");
        emergency = _emergency(0);
        emergency.until -= 1;
        _expectInvalid(_badge);
        _openBy(OPERATOR, emergency, _badge, signature, address(0), "");
        emergency = _emergency(0);
        emergency.commitment = keccak256("another exam");
        _register(PATIENT, emergency.commitment);
        _expectInvalid(_badge);
        _openBy(OPERATOR, emergency, _badge, signature, address(0), "");
        _expectInvalid(_second);
        _openBy(OPERATOR, _emergency(0), _second, signature, address(0), "");
        VM.chainId(1);
        _expectInvalid(_badge);
        _openBy(OPERATOR, _emergency(0), _badge, signature, address(0), "");
    }

    function test_RevertWhen_TheSameSignatureComesAgain() external {
        bytes memory signature = _signed(KEY, _emergency(0));
        _openBy(OPERATOR, _emergency(0), _badge, signature, address(0), "");
        _expectCount(0, 1);
        _openBy(OPERATOR, _emergency(0), _badge, signature, address(0), "");
        _expectCount(2, 1);
        _open(_emergency(2));
    }

    function test_AgainWithinADay_NeedsASecondPractitioner() external {
        _open(_emergency(0));
        VM.warp(NOW + 1 days - 1);
        Emergency memory emergency = _emergency(1);
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessSecondNeeded.selector, examId, NOW)
        );
        _open(emergency);

        VM.expectEmit(address(_emergencies));
        emit IEmergencyAccess.EmergencyOpened(
            examId,
            CUSTODIAN,
            _reader,
            _badge,
            _second,
            REASON,
            emergency.until
        );
        _openByBoth(emergency);
        _expectHistory(2, NOW + 1 days - 1);
    }

    function test_AgainAfterADay_NeedsOne() external {
        _open(_emergency(0));
        VM.warp(NOW + 1 days);
        _open(_emergency(1));
        _expectHistory(2, NOW + 1 days);
    }

    /// @notice What two opened counts like what one did: the day runs from the last.
    function test_TheDayRunsFromTheLastEmergency() external {
        _open(_emergency(0));
        VM.warp(NOW + 12 hours);
        _openByBoth(_emergency(1));
        VM.warp(NOW + 1 days);
        VM.expectRevert(
            abi.encodeWithSelector(
                IEmergencyAccess.EmergencyAccessSecondNeeded.selector,
                examId,
                NOW + 12 hours
            )
        );
        _open(_emergency(2));
    }

    /// @notice Counted for the exam: another practitioner, or another reader, does not start anew.
    function test_AnotherPractitionerOrReaderDoesNotStartAnew() external {
        _open(_emergency(0));
        Emergency memory emergency = _emergency(1);
        emergency.reader = _grantee(STRANGER);
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessSecondNeeded.selector, examId, NOW)
        );
        _openBy(OPERATOR, emergency, _second, _signed(SECOND_KEY, emergency), address(0), "");
        _openByBoth(emergency);
        _true(_emergencies.isOpen(examId, _reader, NOW), "the first reader still reads");
        _true(_emergencies.isOpen(examId, _grantee(STRANGER), NOW), "the second too");
    }

    function test_AnotherExamIsCountedByItself() external {
        _open(_emergency(0));
        Emergency memory emergency = _emergency(0);
        emergency.commitment = keccak256("another exam");
        _register(PATIENT, emergency.commitment);
        _open(emergency);
    }

    /// @notice In a rival, one stranger both asks for and confirms an emergency.
    function test_RevertWhen_OnePractitionerSignsTwice() external {
        _open(_emergency(0));
        Emergency memory emergency = _emergency(1);
        bytes memory signature = _signed(KEY, emergency);
        VM.expectRevert(abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessSameBadge.selector, _badge));
        _openBy(OPERATOR, emergency, _badge, signature, _badge, signature);
    }

    function test_RevertWhen_TheSecondIsNotNamedOrDidNotSign() external {
        _open(_emergency(0));
        Emergency memory emergency = _emergency(1);
        bytes memory signature = _signed(KEY, emergency);
        _expectInvalid(_second);
        _openBy(OPERATOR, emergency, _badge, signature, _second, signature);
        address stranger = VM.addr(STRANGER_KEY);
        _expectNotPractitioner(stranger);
        _openBy(OPERATOR, emergency, _badge, signature, stranger, _signed(STRANGER_KEY, emergency));
    }

    function test_ASecondSignatureIsCheckedWhereNoneIsNeeded() external {
        Emergency memory emergency = _emergency(0);
        _expectInvalid(_second);
        _openBy(OPERATOR, emergency, _badge, _signed(KEY, emergency), _second, "");
        _openByBoth(emergency);
        _expectHistory(1, NOW);
    }

    function test_Close_EndsItBeforeItsTime() external {
        _open(_emergency(0));
        VM.warp(NOW + 1 hours);
        VM.expectEmit(address(_emergencies));
        emit IEmergencyAccess.EmergencyClosed(examId, CUSTODIAN, _reader);
        _closeBy(OPERATOR, _reader);
        _true(!_emergencies.isOpen(examId, _reader, NOW + 1 hours), "closed");
        _true(_emergencies.isOpen(examId, _reader, NOW + 1 hours - 1), "as it was before");
        _expectHistory(1, NOW);
    }

    function test_RevertWhen_ClosedByAStrangerOrNotOpen() external {
        _expectNotOpen(_reader);
        _closeBy(OPERATOR, _reader);
        _open(_emergency(0));
        _expectNotOperator(STRANGER);
        _closeBy(STRANGER, _reader);
        _expectNotOpen(_grantee(READER));
        _closeBy(CUSTODIAN, _grantee(READER));
        _closeBy(CUSTODIAN, _reader);
        _expectNotOpen(_reader);
        _closeBy(CUSTODIAN, _reader);
    }

    function testFuzz_IsOpen_NeverRevertsAndNeverOpensForAnybodyElse(
        ExamId id,
        Grantee reader,
        uint256 time
    ) external {
        VM.assume(Grantee.unwrap(reader) != Grantee.unwrap(_reader));
        _open(_emergency(0));
        _true(!_emergencies.isOpen(id, reader, time), "any exam");
        _true(!_emergencies.isOpen(examId, reader, time), "this exam");
    }

    function _setPractitioner(address badge, bool named) private {
        VM.prank(CUSTODIAN);
        _emergencies.setPractitioner(badge, named);
    }

    /// @dev As long as may be, from now on.
    function _emergency(uint64 count) private view returns (Emergency memory) {
        uint40 until = uint40(block.timestamp + 4 hours);
        return Emergency(CUSTODIAN, PATIENT, COMMITMENT, _reader, REASON, until, count);
    }

    function _signed(uint256 key, Emergency memory emergency) private view returns (bytes memory) {
        return _signEmergency(key, address(_emergencies), emergency);
    }

    function _openBy(
        address sender,
        Emergency memory emergency,
        address badge,
        bytes memory signature,
        address second,
        bytes memory secondSignature
    ) private returns (ExamId) {
        VM.prank(sender);
        return _emergencies.open(emergency, badge, signature, second, secondSignature);
    }

    function _open(Emergency memory emergency) private returns (ExamId) {
        bytes memory signature = _signed(KEY, emergency);
        VM.prank(OPERATOR);
        return _emergencies.open(emergency, _badge, signature, address(0), "");
    }

    function _openByBoth(Emergency memory emergency) private {
        bytes memory secondSignature = _signed(SECOND_KEY, emergency);
        _openBy(OPERATOR, emergency, _badge, _signed(KEY, emergency), _second, secondSignature);
    }

    function _closeBy(address sender, Grantee reader) private {
        VM.prank(sender);
        _emergencies.close(CUSTODIAN, PATIENT, COMMITMENT, reader);
    }

    function _expectHistory(uint256 count, uint256 lastOpenedAt) private view {
        (uint64 counted, uint40 opened) = _emergencies.historyOf(examId);
        _equal(counted, count);
        _equal(opened, lastOpenedAt);
    }

    function _expectNotOperator(address sender) private {
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessNotOperator.selector, CUSTODIAN, sender)
        );
    }

    function _expectNotPractitioner(address badge) private {
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessNotPractitioner.selector, CUSTODIAN, badge)
        );
    }

    function _expectInvalid(address badge) private {
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessInvalidSignature.selector, badge)
        );
    }

    function _expectNoExam(ExamId id) private {
        VM.expectRevert(abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessNoExam.selector, id));
    }

    function _expectCount(uint256 signed, uint256 current) private {
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessCountMismatch.selector, signed, current)
        );
    }

    function _expectNotOpen(Grantee reader) private {
        VM.expectRevert(
            abi.encodeWithSelector(IEmergencyAccess.EmergencyAccessNotOpen.selector, examId, reader)
        );
    }
}
