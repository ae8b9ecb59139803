import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  contentsOf,
  ENVELOPE_IV,
  type EnvelopeContents,
  envelopeDigest,
  envelopeKey,
  envelopeOf,
  envelopeProof,
  envelopesRoot,
  envelopeText,
  partsOf,
  sealAgain,
} from "../../protocol/envelope.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/hash.ts";
import { newSalt } from "../../protocol/ids.ts";
import { verifyMerkleProof } from "../../protocol/merkle.ts";
import {
  type Decided,
  decodeReceipt,
  encodeReceipt,
  holds,
  type Opened,
  type Receipt,
  receiptDigest,
  signedPartOf,
} from "../../protocol/receipt.ts";
import { receiptProof } from "../../protocol/receiptTree.ts";

const CALLER: Hex = `0x${"ca".repeat(20)}`;
const EXAM: Hex = `0x${"e1".repeat(32)}`;
const KEY: Hex = `0x${"01".repeat(32)}`;
const SEAL = { keyId: `0x${"02".repeat(16)}`, salt: `0x${"03".repeat(16)}` } as const;
const CONTENTS: EnvelopeContents = { caller: CALLER, tokenId: "a token", examId: EXAM };
const DECIDED: Decided = {
  decidedAt: 1_795_000_000_123,
  purpose: "TREAT",
  action: "VIEW",
  reason: "permitted",
  route: "WADO-RS instance frames",
  emergency: false,
  chainId: 31337,
  blockNumber: 7,
  blockHash: `0x${"b1".repeat(32)}`,
};

/** A receipt of three that were written together, each with one envelope. */
async function written(): Promise<Receipt> {
  const envelope = await sealAgain(CONTENTS, SEAL, KEY);
  const envelopes = envelopesRoot([envelope]);
  const run = { first: 40n, receipts: [newSalt(), receiptDigest({ ...DECIDED, envelopes }), newSalt()] };
  const siblings = receiptProof(run, 41n);
  const signature: Hex = `0x${"5".repeat(130)}`;
  const signed = { first: 40, last: 42, signedAt: 1_795_000_000, siblings, signature };
  const opened = { ...CONTENTS, ...SEAL, key: KEY, siblings: [] };
  return {
    ...DECIDED,
    custodian: CALLER,
    sequence: 41,
    envelopes,
    opened,
    signed,
  };
}

describe("known answers", () => {
  it("pins an envelope, and what a receipt commits to", async () => {
    const envelope = await sealAgain(CONTENTS, SEAL, envelopeKey(KEY, SEAL.salt));
    const envelopes = envelopesRoot([envelope]);
    const withoutBlock = { ...DECIDED, blockNumber: null, blockHash: null };
    expect({
      envelope,
      envelopes,
      receipt: receiptDigest({ ...DECIDED, envelopes }),
      withoutBlock: receiptDigest({ ...withoutBlock, envelopes }),
    }).toMatchInlineSnapshot(`
      {
        "envelope": "0x02020202020202020202020202020202030303030303030303030303030303033796405b15de0c2ba15857d85bd1aa372b453a30a0987956a66ee104150aa4ad022a09aa142f567d2276017d52fb76788e6e8cf73ed9deb3454e9f7d46bbf04cf91336cbf16ab154168d588cd73e8e4ebe9dc3247eee0758d465e6c8358db89b4561a5357ebccd10c56903",
        "envelopes": "0xd05defde2a6fe82d6d43b5cda7c0a81194d6127a080cb3bb0c10481ec8c16783",
        "receipt": "0x6ab639c9f6e2ad0b6aa2df2c15cc9e355eb4818b8f19f34719a575a3c2859d20",
        "withoutBlock": "0xca5c65d3ef4f85d0445e060296139df78f00e6f0dcab87c725756d50330711a3",
      }
    `);
  });
});

describe("an envelope", () => {
  it("is what AES-256-GCM makes of the text, behind key id, salt and lock", async () => {
    const cipher = createCipheriv("aes-256-gcm", Buffer.from(KEY.slice(2), "hex"), ENVELOPE_IV);
    const text = [cipher.update(envelopeText(CONTENTS)), cipher.final(), cipher.getAuthTag()];
    const envelope = envelopeOf(SEAL, KEY, Buffer.concat(text));
    expect(await sealAgain(CONTENTS, SEAL, KEY)).toBe(envelope);
    expect(partsOf(envelope)).toMatchObject(SEAL);
  });

  it("says what was put in, and tells by its length nothing of whether there is an exam", async () => {
    for (const examId of [EXAM, null]) {
      expect(contentsOf(envelopeText({ ...CONTENTS, examId }))).toEqual({ ...CONTENTS, examId });
    }
    const of = (contents: EnvelopeContents) => sealAgain(contents, SEAL, KEY);
    expect((await of({ ...CONTENTS, examId: null })).length).toBe((await of(CONTENTS)).length);
  });

  it("commits to its key: another key makes another envelope, whatever it opens to", async () => {
    const { lock } = partsOf(await sealAgain(CONTENTS, SEAL, KEY));
    expect(partsOf(await sealAgain(CONTENTS, SEAL, newSalt())).lock).not.toBe(lock);
  });

  it("that is too short is refused", () => {
    expect(() => partsOf("0x1234")).toThrow(ProtocolError);
  });

  it("among any number is proven to be there, and no other is", () => {
    const envelopes = fc.uniqueArray(
      fc
        .uint8Array({ minLength: 70, maxLength: 80 })
        .map((made): Hex => `0x${Buffer.from(made).toString("hex")}`),
      { minLength: 2, maxLength: 20 },
    );
    fc.assert(
      fc.property(envelopes, ([other = "0x", ...held]) => {
        for (const envelope of held) {
          const proof = envelopeProof(held, envelope);
          const root = envelopesRoot(held);
          expect(verifyMerkleProof(root, envelopeDigest(envelope), proof)).toBe(true);
          expect(verifyMerkleProof(root, envelopeDigest(other), proof)).toBe(false);
        }
      }),
    );
  });
});

describe("a receipt", () => {
  it("has another digest when anything that it says in clear is changed", () => {
    const envelopes = newSalt();
    const digest = receiptDigest({ ...DECIDED, envelopes });
    const changes: Partial<Decided & { envelopes: Hex }>[] = [
      { decidedAt: DECIDED.decidedAt + 1 },
      { purpose: "ETREAT" },
      { action: "DOWNLOAD" },
      { reason: "revoked" },
      { route: "WADO-RS study" },
      { emergency: true },
      { chainId: 1 },
      { blockNumber: 8 },
      { blockHash: newSalt() },
      { envelopes: newSalt() },
    ];
    for (const change of changes) {
      expect(receiptDigest({ ...DECIDED, envelopes, ...change }), JSON.stringify(change)).not.toBe(digest);
    }
  });

  it("travels in a header of visible characters, and is what it was", async () => {
    const receipt = await written();
    const text = encodeReceipt(receipt);
    expect(text).toMatch(/^[\w-]+$/);
    expect(decodeReceipt(text)).toEqual(receipt);
    expect(() => decodeReceipt("bm9uZQ")).toThrow(ProtocolError);
  });

  it("leads to the root that was signed, with what is beside it", async () => {
    const receipt = await written();
    const part = signedPartOf(receipt);
    const [left, right] = receipt.signed.siblings;
    expect([left, right]).not.toContain(undefined);
    expect(part).toMatchObject({ custodian: CALLER, first: 40n, last: 42n, signedAt: 1_795_000_000n });
    expect(signedPartOf({ ...receipt, reason: "revoked" })?.root).not.toBe(part?.root);
    expect(signedPartOf({ ...receipt, sequence: 43 })).toBeNull();
    expect(signedPartOf({ ...receipt, signed: { ...receipt.signed, siblings: [] } })).toBeNull();
  });

  it("holds what was opened, and nothing else that is said of it", async () => {
    const { envelopes, opened } = await written();
    if (!opened) throw new Error("It is not opened.");
    expect(await holds(envelopes, opened)).toBe(true);
    const changes: Partial<Opened>[] = [
      { caller: `0x${"cb".repeat(20)}` },
      { examId: null },
      { tokenId: "another" },
      { key: newSalt() },
      { keyId: SEAL.salt },
      { siblings: [newSalt()] },
    ];
    for (const change of changes) {
      expect(await holds(envelopes, { ...opened, ...change }), JSON.stringify(change)).toBe(false);
    }
  });
});
