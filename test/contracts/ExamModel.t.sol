// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {ExamId, Membership, Offer, Patient, Pointer} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {ExamModel} from "../proofs/models/ExamModel.sol";
import {Deploy} from "./Deploy.sol";
import {ModelTest} from "./ModelTest.sol";

/// @title ExamModelHost
/// @notice The model's acts, for whoever calls.
contract ExamModelHost is ExamModel {
    function store(address patient) external {
        _store(patient);
    }

    function amend() external {
        _amend();
    }

    function retire() external {
        _retire();
    }

    function handOver(address from, address to) external {
        _handOver(from, to, block.timestamp);
    }

    function accept(address to) external {
        _accept(to, block.timestamp);
    }

    function revokeAll(address patient) external {
        _revokeAll(patient, block.timestamp);
    }
}

/// @title ExamModelTest
/// @notice What `ExamProof` proves of the model is so for the ledger, as far as any history shows.
contract ExamModelTest is ModelTest {
    address private constant CUSTODIAN = address(0xC057);
    bytes32 private constant COMMITMENT = keccak256("commitment");
    bytes32 private constant ROOT = keccak256("root");

    ConsentLedger private _ledger;
    ExamModelHost private _host;
    ExamId private _examId;
    address[3] private _people = [address(0xBA71), address(0xBA72), address(0)];

    function setUp() external {
        VM.warp(1_800_000_000);
        _ledger = Deploy.ledger();
        _host = new ExamModelHost();
        _examId = Ids.exam(CUSTODIAN, _people[0], COMMITMENT);
        VM.prank(CUSTODIAN);
        _ledger.registerBatch(CUSTODIAN, Ids.pointer(_examId, ROOT), 1);
    }

    function testFuzz_ExamModel_DoesWhatTheLedgerDoes(uint256[ACTS] calldata history) external {
        for (uint256 i = 0; i < ACTS; ++i) {
            _perform(history[i]);
            _compare();
        }
    }

    function _perform(uint256 word) private {
        uint256 act;
        uint256 from;
        uint256 to;
        (act, word) = _choose(word, 16);
        (from, word) = _choose(word, 2);
        (to, word) = _choose(word, 3);
        if (act < 3) VM.warp(block.timestamp + (word % 3));
        else if (act < 5)
            _both(CUSTODIAN, _registration(act == 3), abi.encodeCall(ExamModelHost.store, _people[0]));
        else if (act < 7) _both(CUSTODIAN, _amendment(), abi.encodeCall(ExamModelHost.amend, ()));
        else if (act == 7 && word % 4 == 0)
            _both(CUSTODIAN, _retirement(), abi.encodeCall(ExamModelHost.retire, ()));
        else if (act < 11) {
            _both(
                _people[from],
                abi.encodeCall(ConsentLedger.handOver, (_examId, _people[to])),
                abi.encodeCall(ExamModelHost.handOver, (_people[from], _people[to]))
            );
        } else if (act < 14) {
            _both(
                _people[from],
                abi.encodeCall(ConsentLedger.accept, (_examId)),
                abi.encodeCall(ExamModelHost.accept, (_people[from]))
            );
        } else {
            _both(
                _people[from],
                abi.encodeCall(ConsentLedger.revokeAll, (_people[from])),
                abi.encodeCall(ExamModelHost.revokeAll, (_people[from]))
            );
        }
    }

    function _both(address sender, bytes memory act, bytes memory modelled) private {
        _model(address(_host), modelled, _act(sender, address(_ledger), act));
    }

    function _registration(bool claimed) private view returns (bytes memory) {
        if (!claimed)
            return abi.encodeCall(ConsentLedger.register, (CUSTODIAN, _people[0], COMMITMENT, ROOT));
        Membership memory membership = Membership(Ids.pointer(_examId, ROOT), ROOT, new bytes32[](0));
        return abi.encodeCall(ConsentLedger.claim, (CUSTODIAN, _people[0], COMMITMENT, membership));
    }

    function _amendment() private view returns (bytes memory) {
        return abi.encodeCall(ConsentLedger.amend, (CUSTODIAN, _people[0], COMMITMENT, ROOT));
    }

    function _retirement() private view returns (bytes memory) {
        return abi.encodeCall(ConsentLedger.retire, (_people[0], COMMITMENT));
    }

    function _compare() private view {
        Pointer memory pointer = _ledger.pointerOf(_examId);
        _equal(pointer.owner, _host.owner());
        _equal(pointer.ownedSince, _host.ownedSince());
        _equal(pointer.version, _host.version());
        _true(pointer.retired == _host.retired(), "retired");
        Offer memory offer = _ledger.offerOf(_examId);
        _equal(offer.to, _host.offeredTo());
        _equal(offer.offeredAt, _host.offeredAt());
        _equal(offer.nonce, _host.offers());
        for (uint256 i = 0; i < 2; ++i) {
            Patient memory patient = _ledger.patientOf(_people[i]);
            _equal(patient.revokedAllAt, _host.revokedAllAt(_people[i]));
            _equal(patient.epoch, _host.epoch(_people[i]));
        }
    }
}
