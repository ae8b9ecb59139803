// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {
    Authorization,
    ExamId,
    Grant,
    Grantee,
    Patient,
    Query,
    Reason,
    Resource
} from "../../contracts/interfaces/IConsentLedger.sol";
import {Ids} from "../../contracts/libraries/Ids.sol";
import {TypedData} from "../../contracts/libraries/TypedData.sol";
import {Terms} from "../../contracts/types/Terms.sol";
import {SlotModel} from "../proofs/models/SlotModel.sol";
import {Deploy} from "./Deploy.sol";
import {ModelTest} from "./ModelTest.sol";
import {Signing} from "./Signing.sol";

/// @title SlotModelHost
/// @notice The model's acts, for whoever calls.
contract SlotModelHost is SlotModel {
    function grant(uint256 newTerms) external {
        _grant(newTerms, block.timestamp);
    }

    function revoke() external {
        _revoke();
    }

    function revokeAll() external {
        _revokeAll(block.timestamp);
    }

    function departure() external {
        _departure();
    }

    function grantBySig(uint256 newTerms, uint256 signed, uint256 signedEpoch) external {
        _grantBySig(newTerms, block.timestamp, signed, signedEpoch);
    }

    function revokeBySig(uint256 signed, uint256 signedEpoch) external {
        _revokeBySig(signed, signedEpoch);
    }

    function revokeAllBySig(uint256 signed) external {
        _revokeAllBySig(block.timestamp, signed);
    }

    function isLive() external view returns (bool) {
        return _isLive();
    }
}

/// @title SlotModelTest
/// @notice What `SlotProof` proves of the model is so for the ledger, as far as any history shows.
contract SlotModelTest is ModelTest, Signing {
    uint256 private constant KEY = 0xBA71;
    address private constant CUSTODIAN = address(0xC057);
    address private constant RELAYER = address(0x4E1A);
    address private constant HEIR = address(0x4E14);
    address private constant READER = address(0x4EAD);
    bytes32 private constant COMMITMENT = keccak256("commitment");

    ConsentLedger private _ledger;
    SlotModelHost private _host;
    address private _patient;
    Resource private _exam;
    uint256 private _departures;

    function setUp() external {
        VM.warp(1_800_000_000);
        _ledger = Deploy.ledger();
        _host = new SlotModelHost();
        _patient = VM.addr(KEY);
        VM.prank(CUSTODIAN);
        _exam = Ids.whole(_ledger.register(CUSTODIAN, _patient, COMMITMENT, COMMITMENT));
    }

    function testFuzz_SlotModel_DoesWhatTheLedgerDoes(uint256[ACTS] calldata history) external {
        for (uint256 i = 0; i < ACTS; ++i) {
            _perform(history[i]);
            _compare();
        }
    }

    function _perform(uint256 word) private {
        uint256 act;
        uint256 which;
        uint256 stale;
        (act, word) = _choose(word, 16);
        (which, word) = _choose(word, 2);
        (stale, word) = _choose(word, 8);
        // An earlier epoch now and then, and a nonce around the current one.
        uint256 epoch = stale == 0 && _host.epoch() != 0 ? _host.epoch() - 1 : _host.epoch();
        if (act < 2) VM.warp(block.timestamp + (word % 3));
        else if (act == 2) _grant(_termsAt(which));
        else if (act == 3) _revoke();
        else if (act == 4 && word % 4 == 0) _revokeAll();
        else if (act == 5 && word % 4 == 0) _depart();
        else if (act < 11) _grantBySig(_termsAt(which), _around(word, _host.nonce()), epoch);
        else if (act < 15) _revokeBySig(_around(word, _host.nonce()), epoch);
        else _revokeAllBySig(_around(word, _host.revocations()));
    }

    function _grant(Terms terms) private {
        _both(
            _patient,
            abi.encodeCall(ConsentLedger.grant, (_exam, Ids.plain(READER), terms)),
            abi.encodeCall(SlotModelHost.grant, (Terms.unwrap(terms)))
        );
    }

    function _revoke() private {
        _both(
            _patient,
            abi.encodeCall(ConsentLedger.revoke, (_exam, Ids.plain(READER))),
            abi.encodeCall(SlotModelHost.revoke, ())
        );
    }

    function _revokeAll() private {
        _both(
            _patient,
            abi.encodeCall(ConsentLedger.revokeAll, (_patient)),
            abi.encodeCall(SlotModelHost.revokeAll, ())
        );
    }

    /// @dev Another exam of the patient's is handed over, where they have not revoked all in this second.
    function _depart() private {
        VM.prank(CUSTODIAN);
        ExamId other = _ledger.register(CUSTODIAN, _patient, bytes32(++_departures), COMMITMENT);
        VM.prank(_patient);
        _ledger.handOver(other, HEIR);
        bool done = _act(HEIR, address(_ledger), abi.encodeCall(ConsentLedger.accept, (other)));
        _true(done == (block.timestamp > _host.revokedAllAt()), "accepted just where the offer lives");
        if (done) _host.departure();
    }

    function _grantBySig(Terms terms, uint256 nonce, uint256 epoch) private {
        uint256 deadline = block.timestamp + 1;
        Grantee grantee = Ids.plain(READER);
        Authorization memory by = _authorize(
            TypedData.grant(_patient, _exam, grantee, terms, nonce, epoch, deadline),
            deadline
        );
        _both(
            RELAYER,
            abi.encodeCall(ConsentLedger.grantBySig, (_exam, grantee, terms, nonce, epoch, by)),
            abi.encodeCall(SlotModelHost.grantBySig, (Terms.unwrap(terms), nonce, epoch))
        );
    }

    function _revokeBySig(uint256 nonce, uint256 epoch) private {
        uint256 deadline = block.timestamp + 1;
        Grantee grantee = Ids.plain(READER);
        Authorization memory by = _authorize(
            TypedData.revoke(_patient, _exam, grantee, nonce, epoch, deadline),
            deadline
        );
        _both(
            RELAYER,
            abi.encodeCall(ConsentLedger.revokeBySig, (_exam, grantee, nonce, epoch, by)),
            abi.encodeCall(SlotModelHost.revokeBySig, (nonce, epoch))
        );
    }

    function _revokeAllBySig(uint256 nonce) private {
        uint256 deadline = block.timestamp + 1;
        Authorization memory by = _authorize(TypedData.revokeAll(_patient, nonce, deadline), deadline);
        _both(
            RELAYER,
            abi.encodeCall(ConsentLedger.revokeAllBySig, (nonce, by)),
            abi.encodeCall(SlotModelHost.revokeAllBySig, (nonce))
        );
    }

    function _authorize(bytes32 structHash, uint256 deadline) private view returns (Authorization memory) {
        return Authorization(_patient, deadline, _sign(KEY, "ExamKey", address(_ledger), structHash));
    }

    function _both(address sender, bytes memory act, bytes memory modelled) private {
        _model(address(_host), modelled, _act(sender, address(_ledger), act));
    }

    function _compare() private view {
        Grant memory slot = _ledger.grantOf(_patient, _exam, Ids.plain(READER));
        _equal(Terms.unwrap(slot.terms), _host.terms());
        _equal(slot.grantedAt, _host.grantedAt());
        _true(slot.revoked == _host.revoked(), "revoked");
        _equal(slot.nonce, _host.nonce());
        Patient memory patient = _ledger.patientOf(_patient);
        _equal(patient.revokedAllAt, _host.revokedAllAt());
        _equal(patient.epoch, _host.epoch());
        _equal(patient.revocations, _host.revocations());
        _true((_decision() == Reason.Permitted) == _host.isLive(), "permitted just while live");
    }

    function _decision() private view returns (Reason reason) {
        (reason, ) = _ledger.check(
            Query({
                custodian: uint160(CUSTODIAN),
                patient: uint160(_patient),
                commitment: COMMITMENT,
                seriesCommitment: 0,
                reader: uint160(READER),
                granteeSalt: 0,
                purpose: 1,
                action: 1,
                time: block.timestamp
            })
        );
    }

    /// @dev Terms that permit at any time, of which there are two.
    function _termsAt(uint256 which) private pure returns (Terms) {
        return Terms.wrap((uint256(type(uint40).max) << 40) | (1 << 80) | ((1 + 2 * which) << 112));
    }

    function _around(uint256 word, uint256 current) private pure returns (uint256) {
        uint256 choice = word % 8;
        if (choice == 0) return current + 1;
        return choice < 4 && current != 0 ? current - 1 : current;
    }
}
