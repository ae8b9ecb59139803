/** What is not the patient's signature over this act, on this chain, for this ledger, now: refused, whatever is wrong. */
import { concat, getAddress, id, Signature, TypedDataEncoder, toBeHex } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { granteeOf } from "../../protocol/ids.ts";
import { ACT_TYPES, type Act } from "../../protocol/typedData.ts";
import { Scene } from "./scene.ts";
import { ACTS, argumentsOf, bySignature } from "./signing.ts";

/** The order of secp256k1's group. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(() => scene.close());

const invalid = (patient = scene.of.patient) => `ConsentLedgerInvalidSignature("${patient}")`;

describe.each(ACTS)("%s", (act) => {
  it("may be sent until the second before its deadline", async () => {
    const message = await scene.next(act);
    const signature = await scene.sign(act, message);
    const sentAt = (time: bigint) =>
      scene.rewinding(async () => {
        await scene.at(time);
        return scene.submit(act, message, signature);
      });
    const expired = `ConsentLedgerSignatureExpired(${message.deadline})`;
    expect(await sentAt(message.deadline - 1n)).toHaveLength(1);
    await expect(sentAt(message.deadline)).rejects.toThrow(expired);
    await expect(sentAt(message.deadline + 1n)).rejects.toThrow(expired);
  });

  it.each(ACT_TYPES[act].map(({ name, type }) => [name, type] as const))(
    "is refused with another %s than was signed",
    async (name, type) => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, { ...message, [name]: other(type, message[name]) });
      await expect(scene.submit(act, message, signature)).rejects.toThrow(invalid());
    },
  );

  it("is refused when somebody else signed it", async () => {
    const message = await scene.next(act);
    const { otherPatient, reader, custodian, stranger } = scene.world.people;
    for (const person of [otherPatient, reader, custodian, stranger]) {
      const signature = await scene.sign(act, message, person);
      await expect(scene.submit(act, message, signature)).rejects.toThrow(invalid());
    }
  });

  it("is refused when it was signed for another chain, ledger, name or version", async () => {
    const message = await scene.next(act);
    const domains = [
      { ...scene.domain, chainId: 1 },
      { ...scene.domain, verifyingContract: scene.of.custodian },
      { ...scene.domain, name: "ExamKey EmergencyAccess" },
      { ...scene.domain, version: "2" },
    ];
    for (const domain of domains) {
      const signature = await scene.sign(act, message, scene.patient, domain);
      await expect(scene.submit(act, message, signature)).rejects.toThrow(invalid());
    }
  });

  it("is refused by another ledger on the same chain, where the same could be signed", () =>
    scene.rewinding(async () => {
      const message = await scene.next(act);
      const signature = await scene.sign(act, message);
      const twin = await scene.world.ethers.deployContract("ConsentLedger");
      const method = bySignature(act);
      const sent = twin.getFunction(method).send(...argumentsOf(twin.interface, method, message, signature));
      await expect(sent).rejects.toThrow(invalid());
    }));

  it("is refused while its nonce is still to come", async () => {
    const message = await scene.next(act);
    const later = (nonce: unknown) => BigInt(String(nonce)) + 1n;
    const early =
      "nonce" in message
        ? { ...message, nonce: later(message.nonce) }
        : { ...message, nonces: [message.nonces].flat().map(later) };
    await expect(scene.submit(act, early, await scene.sign(act, early))).rejects.toThrow(
      "ConsentLedgerNonceMismatch",
    );
  });
});

describe.each(ACTS.filter((act) => act !== "RevokeAll"))("%s", (act) => {
  it("is refused in an epoch that is over, and in one to come", () =>
    scene.rewinding(async () => {
      const past = await scene.next(act);
      await scene.act("RevokeAll", past);
      const now = await scene.next(act);
      expect(now.epoch).toBe(1n);
      for (const epoch of [0n, 2n]) {
        const message = { ...now, epoch };
        await expect(scene.submit(act, message, await scene.sign(act, message))).rejects.toThrow(
          `ConsentLedgerEpochPassed(${epoch}, 1)`,
        );
      }
    }));
});

describe("a signature", () => {
  const act: Act = "RevokeAll";

  /** Sends a patient's signature in another form, after showing that it is good in its own. */
  async function sendAs(form: (signature: Signature) => string): Promise<unknown> {
    const message = await scene.next(act);
    const signature = await scene.sign(act, message);
    await scene.rewinding(() => scene.submit(act, message, signature));
    return scene.submit(act, message, form(Signature.from(signature)));
  }

  it("is refused in its other, malleable form, though the curve knows no difference", async () => {
    const message = await scene.next(act);
    const digest = TypedDataEncoder.hash(scene.domain, { [act]: [...ACT_TYPES[act]] }, message);
    const { r, s, v } = Signature.from(await scene.sign(act, message));
    const mirrored = { s: toBeHex(ORDER - BigInt(s), 32), v: v === 27 ? 28 : 27 };

    const recovered = await scene.world.ethers.provider.call({
      to: toBeHex(1, 20),
      data: concat([digest, toBeHex(mirrored.v, 32), r, mirrored.s]),
    });
    expect(recovered).toBe(granteeOf(scene.of.patient));
    const sent = scene.submit(act, message, concat([r, mirrored.s, toBeHex(mirrored.v)]));
    await expect(sent).rejects.toThrow(invalid());
  });

  it.each<[string, (signature: Signature) => string]>([
    ["in 64 bytes (ERC-2098)", ({ compactSerialized }) => compactSerialized],
    ["with a parity in the place of v", ({ r, s, yParity }) => concat([r, s, toBeHex(yParity, 1)])],
    ["with v of a transaction (EIP-155)", ({ r, s, yParity }) => concat([r, s, toBeHex(37 + yParity)])],
    ["with a byte too many", ({ serialized }) => concat([serialized, "0x00"])],
    ["with a byte too few", ({ serialized }) => serialized.slice(0, -2)],
    ["of no byte", () => "0x"],
    ["of zeros", () => toBeHex(0, 65)],
    ["of zeros, but for v", ({ v }) => concat([toBeHex(0, 64), toBeHex(v)])],
  ])("is refused %s", async (_, form) => {
    await expect(sendAs(form)).rejects.toThrow(invalid());
  });
});

describe("nobody's address", () => {
  /** Zero; the precompiles of today, the last of which is far from the others (P-256, EIP-7951). */
  const numbers = [...Array.from({ length: 0x12 }, (_, number) => number), 0x100];

  it.each(numbers.map((number) => getAddress(toBeHex(number, 20))))("signs nothing: %s", async (patient) => {
    const message = await scene.next("RevokeAll", { patient });
    for (const signature of [await scene.sign("RevokeAll", message), toBeHex(0, 65), "0x"]) {
      await expect(scene.submit("RevokeAll", message, signature)).rejects.toThrow(invalid(patient));
    }
  });

  it("signs nothing: a contract that knows no ERC-1271", async () => {
    const patient = await scene.world.ledger.getAddress();
    const message = await scene.next("RevokeAll", { patient });
    const signature = await scene.sign("RevokeAll", message);
    await expect(scene.submit("RevokeAll", message, signature)).rejects.toThrow(invalid(patient));
  });
});

/** A value of a type that is not the one given. */
function other(type: string, value: unknown): unknown {
  if (type.endsWith("[]") && Array.isArray(value)) {
    return [...value.slice(0, -1), other(type.slice(0, -2), value.at(-1))];
  }
  if (type === "address") return scene.of.governor;
  if (type === "bytes32") return id(String(value));
  const number = BigInt(String(value));
  return number === 0n ? 1n : number - 1n;
}
