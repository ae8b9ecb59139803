// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ConsentLedger} from "../../contracts/ConsentLedger.sol";
import {EmergencyAccess} from "../../contracts/EmergencyAccess.sol";
import {ExamId, Grantee} from "../../contracts/interfaces/IConsentLedger.sol";
import {Emergency, EmergencyReason, Opening} from "../../contracts/interfaces/IEmergencyAccess.sol";
import {EmergencyModel} from "../proofs/models/EmergencyModel.sol";
import {Deploy} from "./Deploy.sol";
import {EmergencySigning} from "./EmergencySigning.sol";
import {ModelTest} from "./ModelTest.sol";

/// @title EmergencyModelHost
/// @notice The model's acts, for whoever calls.
contract EmergencyModelHost is EmergencyModel {
    function open(
        bool forReader,
        uint256 newUntil,
        uint256 signed,
        Signer calldata first,
        Signer calldata second
    ) external {
        _open(forReader, newUntil, signed, first, second, block.timestamp);
    }

    function close() external {
        _close(block.timestamp);
    }

    function retire() external {
        _retire();
    }

    function isOpen(uint256 time) external view returns (bool) {
        return _isOpen(time);
    }
}

/// @title OwnedBadge
/// @notice An account that takes its owner's signature as it is, as many accounts of one owner do.
contract OwnedBadge is IERC1271 {
    address private immutable _OWNER;

    constructor(address owner) {
        _OWNER = owner;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(hash, signature) == _OWNER ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @title EmergencyModelTest
/// @notice What `EmergencyProof` proves of the model is so for emergencies, as far as any history shows. Both badges are one
/// owner's: what tells their signatures apart is the badge that each names.
contract EmergencyModelTest is ModelTest, EmergencySigning {
    uint256 private constant KEY = 0xD0C;
    address private constant CUSTODIAN = address(0xC057);
    address private constant PATIENT = address(0xBA71);
    bytes32 private constant COMMITMENT = keccak256("commitment");
    Grantee private constant READER = Grantee.wrap(keccak256("reader"));

    ConsentLedger private _ledger;
    EmergencyAccess private _access;
    EmergencyModelHost private _host;
    ExamId private _examId;

    /// @dev The last is nobody.
    address[3] private _badges;

    function setUp() external {
        VM.warp(1_800_000_000);
        _ledger = Deploy.ledger();
        _access = Deploy.emergencyAccess(_ledger);
        _host = new EmergencyModelHost();
        VM.startPrank(CUSTODIAN);
        _examId = _ledger.register(CUSTODIAN, PATIENT, COMMITMENT, keccak256("root"));
        for (uint256 i = 0; i < 2; ++i) {
            _badges[i] = address(new OwnedBadge(VM.addr(KEY)));
            _access.setPractitioner(_badges[i], true);
        }
        VM.stopPrank();
    }

    function testFuzz_EmergencyModel_DoesWhatEmergencyAccessDoes(uint256[ACTS] calldata history) external {
        for (uint256 i = 0; i < ACTS; ++i) {
            (uint256 act, uint256 word) = _choose(history[i], 8);
            if (act < 2) VM.warp(block.timestamp + _between(word, 0, 16 hours));
            else if (act == 2) _close();
            else if (act == 3 && word % 8 == 0) _retire();
            else _open(word);
            _compare(word);
        }
    }

    function _open(uint256 word) private {
        uint256 forReader;
        uint256 length;
        uint256 stale;
        (forReader, word) = _choose(word, 4);
        (length, word) = _choose(word, 4 hours + 2);
        (stale, word) = _choose(word, 8);
        uint256 signed = _host.count();
        if (stale == 0) ++signed;
        else if (stale == 1 && signed != 0) --signed;
        Emergency memory emergency = Emergency(
            CUSTODIAN,
            PATIENT,
            COMMITMENT,
            forReader == 0 ? Grantee.wrap(keccak256("another")) : READER,
            EmergencyReason.PatientUnresponsive,
            uint40(block.timestamp + length),
            uint64(signed)
        );
        (EmergencyModel.Signer memory first, uint256 rest) = _signer(word, 2);
        (EmergencyModel.Signer memory second, ) = _signer(rest, 3);
        _openBoth(emergency, first, second);
    }

    /// @dev One of the first `count` badges, named by the signature but for now and then.
    function _signer(
        uint256 word,
        uint256 count
    ) private view returns (EmergencyModel.Signer memory signer, uint256 rest) {
        uint256 badge;
        uint256 named;
        (badge, rest) = _choose(word, count);
        (named, rest) = _choose(rest, 8);
        signer = EmergencyModel.Signer(_badges[badge], _badges[named < 2 ? named : badge]);
    }

    function _openBoth(
        Emergency memory emergency,
        EmergencyModel.Signer memory first,
        EmergencyModel.Signer memory second
    ) private {
        bytes memory act = abi.encodeCall(
            EmergencyAccess.open,
            (
                emergency,
                first.badge,
                _signEmergency(KEY, first.named, address(_access), emergency),
                second.badge,
                _signEmergency(KEY, second.named, address(_access), emergency)
            )
        );
        bool forReader = Grantee.unwrap(emergency.reader) == Grantee.unwrap(READER);
        bytes memory modelled = abi.encodeCall(
            EmergencyModelHost.open,
            (forReader, emergency.until, emergency.count, first, second)
        );
        _both(address(_access), act, modelled);
    }

    function _close() private {
        _both(
            address(_access),
            abi.encodeCall(EmergencyAccess.close, (CUSTODIAN, PATIENT, COMMITMENT, READER)),
            abi.encodeCall(EmergencyModelHost.close, ())
        );
    }

    function _retire() private {
        _both(
            address(_ledger),
            abi.encodeCall(ConsentLedger.retire, (PATIENT, COMMITMENT)),
            abi.encodeCall(EmergencyModelHost.retire, ())
        );
    }

    function _both(address target, bytes memory act, bytes memory modelled) private {
        _model(address(_host), modelled, _act(CUSTODIAN, target, act));
    }

    function _compare(uint256 word) private view {
        (uint64 count, uint40 lastOpenedAt) = _access.historyOf(_examId);
        _equal(count, _host.count());
        _equal(lastOpenedAt, _host.lastOpenedAt());
        Opening memory opening = _access.openingOf(_examId, READER);
        _equal(opening.openedAt, _host.openedAt());
        _equal(opening.until, _host.until());
        uint256 time = block.timestamp - 4 hours + (word % 8 hours);
        _true(_access.isOpen(_examId, READER, time) == _host.isOpen(time), "open at any time");
        _true(
            _access.isOpen(_examId, READER, block.timestamp) == _host.isOpen(block.timestamp),
            "open at once"
        );
    }
}
