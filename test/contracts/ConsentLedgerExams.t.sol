// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExamId, IConsentLedger, Pointer, Query, Reason} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @title ConsentLedgerExamsTest
/// @notice Operators, and the life of a pointer: registered, amended, retired.
contract ConsentLedgerExamsTest is LedgerTest {
    bytes32 private constant OTHER = keccak256("other commitment");

    function test_SetOperator_NamesAndTakesAway() external {
        VM.expectEmit(address(ledger));
        emit IConsentLedger.OperatorSet(CUSTODIAN, OPERATOR, true);
        _setOperator(true);
        _true(ledger.isOperator(CUSTODIAN, OPERATOR), "operator is named");

        VM.expectEmit(address(ledger));
        emit IConsentLedger.OperatorSet(CUSTODIAN, OPERATOR, false);
        _setOperator(false);
        _true(!ledger.isOperator(CUSTODIAN, OPERATOR), "operator is no longer named");
    }

    function test_SetOperator_CountsForTheSenderAlone() external {
        VM.prank(STRANGER);
        ledger.setOperator(OPERATOR, true);
        _true(!ledger.isOperator(CUSTODIAN, OPERATOR), "named by a stranger");
    }

    function test_Register_ByTheCustodian() external {
        ExamId expected = Ids.exam(CUSTODIAN, PATIENT, OTHER);
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamRegistered(expected, CUSTODIAN, PATIENT, OTHER, ROOT);
        VM.prank(CUSTODIAN);
        ExamId id = ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);

        _equal(ExamId.unwrap(id), ExamId.unwrap(expected));
        _expectPointer(id, PATIENT, 1, false, ROOT);
    }

    function test_Register_ByAnOperator() external {
        _setOperator(true);
        VM.prank(OPERATOR);
        ExamId id = ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);
        _expectPointer(id, PATIENT, 1, false, ROOT);
    }

    function test_Register_TheSameCommitmentForAnotherPatientIsAnotherExam() external {
        VM.prank(CUSTODIAN);
        ExamId id = ledger.register(CUSTODIAN, STRANGER, COMMITMENT, ROOT);
        _true(ExamId.unwrap(id) != ExamId.unwrap(examId), "ids differ");
        _expectPointer(examId, PATIENT, 1, false, ROOT);
    }

    function test_Register_UnderOnesOwnNameTakesNobodysId() external {
        VM.prank(STRANGER);
        ExamId id = ledger.register(STRANGER, PATIENT, OTHER, ROOT);
        _true(ExamId.unwrap(id) != ExamId.unwrap(Ids.exam(CUSTODIAN, PATIENT, OTHER)), "ids differ");
    }

    function test_RevertWhen_RegisterByAStranger() external {
        _expectNotOperator(STRANGER);
        VM.prank(STRANGER);
        ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);
    }

    /// @notice A rival lets anybody write a record for a patient.
    function test_RevertWhen_RegisterByThePatient() external {
        _expectNotOperator(PATIENT);
        VM.prank(PATIENT);
        ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);
    }

    function test_RevertWhen_RegisterByAFormerOperator() external {
        _setOperator(true);
        _setOperator(false);
        _expectNotOperator(OPERATOR);
        VM.prank(OPERATOR);
        ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);
    }

    function test_RevertWhen_RegisterByAnotherCustodiansOperator() external {
        VM.prank(STRANGER);
        ledger.setOperator(OPERATOR, true);
        _expectNotOperator(OPERATOR);
        VM.prank(OPERATOR);
        ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);
    }

    function test_RevertWhen_RegisterWithoutPatient() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerZeroPatient.selector));
        VM.prank(CUSTODIAN);
        ledger.register(CUSTODIAN, address(0), OTHER, ROOT);
    }

    function test_RevertWhen_RegisteredTwice() external {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRegistered.selector, examId));
        VM.prank(CUSTODIAN);
        ledger.register(CUSTODIAN, PATIENT, COMMITMENT, keccak256("another root"));
    }

    function test_Amend_ReplacesTheManifestAndCounts() external {
        bytes32 second = keccak256("second root");
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamAmended(examId, CUSTODIAN, 2, second);
        VM.prank(CUSTODIAN);
        ledger.amend(CUSTODIAN, PATIENT, COMMITMENT, second);
        _expectPointer(examId, PATIENT, 2, false, second);

        _setOperator(true);
        bytes32 third = keccak256("third root");
        VM.prank(OPERATOR);
        ledger.amend(CUSTODIAN, PATIENT, COMMITMENT, third);
        _expectPointer(examId, PATIENT, 3, false, third);
    }

    function test_RevertWhen_AmendByAStranger() external {
        _expectNotOperator(STRANGER);
        VM.prank(STRANGER);
        ledger.amend(CUSTODIAN, PATIENT, COMMITMENT, ROOT);
    }

    function test_RevertWhen_AmendUnknown() external {
        ExamId id = Ids.exam(CUSTODIAN, PATIENT, OTHER);
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamUnknown.selector, id));
        VM.prank(CUSTODIAN);
        ledger.amend(CUSTODIAN, PATIENT, OTHER, ROOT);
    }

    function test_Retire_LeavesATombstone() external {
        _grant(exam, _plain());
        VM.expectEmit(address(ledger));
        emit IConsentLedger.ExamRetired(examId, CUSTODIAN);
        _retire(COMMITMENT);

        _expectPointer(examId, PATIENT, 1, true, ROOT);
        _expect(_query(), Reason.RetiredExam);
        _expect(_seriesQuery(), Reason.RetiredExam);
        Query memory owner = _query();
        owner.reader = uint160(PATIENT);
        _expect(owner, Reason.RetiredExam);
    }

    function test_Retire_WorksBeforeRegistration() external {
        _retire(OTHER);
        Query memory query = _query();
        query.commitment = OTHER;
        _expect(query, Reason.RetiredExam);
        _expectRetired(Ids.exam(CUSTODIAN, PATIENT, OTHER));
        VM.prank(CUSTODIAN);
        ledger.register(CUSTODIAN, PATIENT, OTHER, ROOT);
    }

    function test_Retire_ByAStrangerTouchesTheirOwnIdsAlone() external {
        VM.prank(STRANGER);
        ledger.retire(PATIENT, COMMITMENT);
        _expectPointer(examId, PATIENT, 1, false, ROOT);
    }

    /// @notice Operators register and amend; to retire is the custodian's own.
    function test_Retire_ByAnOperatorTouchesItsOwnIdsAlone() external {
        _setOperator(true);
        VM.prank(OPERATOR);
        ledger.retire(PATIENT, COMMITMENT);
        _expectPointer(examId, PATIENT, 1, false, ROOT);
    }

    function test_RevertWhen_RetiredTwice() external {
        _retire(COMMITMENT);
        _expectRetired(examId);
        _retire(COMMITMENT);
    }

    function test_RevertWhen_RegisterAfterRetire() external {
        _retire(COMMITMENT);
        _expectRetired(examId);
        VM.prank(CUSTODIAN);
        ledger.register(CUSTODIAN, PATIENT, COMMITMENT, ROOT);
    }

    function test_RevertWhen_AmendAfterRetire() external {
        _retire(COMMITMENT);
        _expectRetired(examId);
        VM.prank(CUSTODIAN);
        ledger.amend(CUSTODIAN, PATIENT, COMMITMENT, ROOT);
    }

    function testFuzz_Register_OnlyForCustodianOrOperator(address sender, bytes32 commitment) external {
        VM.assume(sender != CUSTODIAN);
        _expectNotOperator(sender);
        VM.prank(sender);
        ledger.register(CUSTODIAN, PATIENT, commitment, ROOT);
    }

    function _setOperator(bool named) private {
        VM.prank(CUSTODIAN);
        ledger.setOperator(OPERATOR, named);
    }

    function _expectNotOperator(address sender) private {
        VM.expectRevert(
            abi.encodeWithSelector(IConsentLedger.ConsentLedgerNotOperator.selector, CUSTODIAN, sender)
        );
    }

    function _expectRetired(ExamId id) private {
        VM.expectRevert(abi.encodeWithSelector(IConsentLedger.ConsentLedgerExamRetired.selector, id));
    }

    function _expectPointer(
        ExamId id,
        address owner,
        uint256 version,
        bool retired,
        bytes32 root
    ) private view {
        Pointer memory pointer = ledger.pointerOf(id);
        _equal(pointer.owner, owner);
        _equal(pointer.version, version);
        _true(pointer.retired == retired, "retired");
        _equal(pointer.manifestRoot, root);
    }
}
