/** The same by signature: a patient signs, and a relayer sends and pays. */
import type { BaseContract } from "ethers";
import { examId, granteeOf } from "../../../../protocol/ids.ts";
import { actionsToMask, purposesToMask } from "../../../../protocol/terms.ts";
import { ACT_TYPES, type Act, typedDataDomain } from "../../../../protocol/typedData.ts";
import type { Chain } from "../chain.ts";
import { costOf } from "../floor.ts";
import { DEADLINE, PERIOD, signedFrom, TERMS, tenWords, withoutZeroByte, word } from "../samples.ts";

/** Signs an act as `ConsentLedger` wants it, and gives the authorization that goes with it. */
async function authorizationBy(chain: Chain, ledger: BaseContract) {
  const domain = typedDataDomain(chain.chainId, await ledger.getAddress());
  return async (role: "signer" | "receiver", act: Act, message: Record<string, unknown>) => {
    const signer = chain.accountOf(role);
    const patient = signer.address;
    const { second: deadline, signatures } = await signedFrom([signer], DEADLINE, (second) => ({
      domain,
      types: { [act]: [...ACT_TYPES[act]] },
      message: { ...message, patient, deadline: second },
    }));
    return { patient, deadline, signature: signatures[0] };
  };
}

const SIGNED_TERMS = {
  ...PERIOD,
  purposes: purposesToMask(["TREAT"]),
  actions: actionsToMask(["VIEW", "DOWNLOAD"]),
};

/** Grants and revokes of one patient, whose epoch is 0. */
export async function signedGrantCosts(chain: Chain, ledger: BaseContract) {
  const signed = await authorizationBy(chain, ledger);
  const send = (act: string, ...args: unknown[]) => chain.measure(ledger, "relayer", act, ...args);
  const grantee = granteeOf(chain.accountOf("reader").address);
  const [resource, resources, epoch] = [word(0x37), tenWords(0x61), 0];
  const [zeros, ones] = [resources.map(() => 0), resources.map(() => 1)];

  const grant = await signed("signer", "Grant", { resource, grantee, ...SIGNED_TERMS, nonce: 0, epoch });
  const revoke = await signed("signer", "Revoke", { resource, grantee, nonce: 1, epoch });
  const grantBatch = { resources, grantee, ...SIGNED_TERMS, nonces: zeros, epoch };
  const revokeBatch = { resources, grantee, nonces: ones, epoch };
  const grantTen = await signed("signer", "GrantBatch", grantBatch);
  const revokeTen = await signed("signer", "RevokeBatch", revokeBatch);
  return {
    "grantBySig, cold": costOf(await send("grantBySig", resource, grantee, TERMS, 0, epoch, grant), {
      fresh: 1,
      signatures: 1,
    }),
    revokeBySig: costOf(await send("revokeBySig", resource, grantee, 1, epoch, revoke), {
      changed: 1,
      signatures: 1,
    }),
    "grantBatchBySig of ten": costOf(
      await send("grantBatchBySig", resources, grantee, TERMS, zeros, epoch, grantTen),
      { fresh: 10, signatures: 1 },
    ),
    "revokeBatchBySig of ten": costOf(
      await send("revokeBatchBySig", resources, grantee, ones, epoch, revokeTen),
      { changed: 10, signatures: 1 },
    ),
  };
}

/** A guardian and the hand-over of an exam by the same patient, and a revokeAll of whoever accepted it. */
export async function signedOwnerCosts(chain: Chain, ledger: BaseContract) {
  const signed = await authorizationBy(chain, ledger);
  const send = (act: string, ...args: unknown[]) => chain.measure(ledger, "relayer", act, ...args);
  const [custodian, owner, to, guardian] = [
    chain.accountOf("custodian").address,
    chain.accountOf("signer").address,
    chain.accountOf("receiver").address,
    chain.accountOf("secondBadge").address,
  ];
  const exam = withoutZeroByte(examId({ custodian, patient: owner, commitment: word(0x14) }));
  await chain.measure(ledger, "custodian", "register", custodian, owner, word(0x14), word(0xaa));

  const until = PERIOD.notAfter;
  const [nonce, epoch] = [0, 0];
  const naming = await signed("signer", "NameGuardian", { guardian, until, nonce, epoch });
  const offer = await signed("signer", "HandOver", { examId: exam, to, nonce, epoch });
  const acceptance = await signed("receiver", "Accept", { examId: exam, nonce: 1, epoch });
  const end = await signed("receiver", "RevokeAll", { nonce });
  return {
    nameGuardianBySig: costOf(await send("nameGuardianBySig", guardian, until, nonce, epoch, naming), {
      fresh: 1,
      signatures: 1,
    }),
    handOverBySig: costOf(await send("handOverBySig", exam, to, nonce, epoch, offer), {
      fresh: 1,
      signatures: 1,
    }),
    acceptBySig: costOf(await send("acceptBySig", exam, 1, epoch, acceptance), {
      fresh: 1,
      changed: 2,
      signatures: 1,
    }),
    "revokeAllBySig, first": costOf(await send("revokeAllBySig", nonce, end), { fresh: 1, signatures: 1 }),
  };
}
