/** What the developer wallet signs, taken by a real ledger. */
import { createPublicClient, custom, type Hex } from "viem";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { DeveloperProvider, type Pending } from "../../app/features/developer-wallet/provider.ts";
import { eip712Descriptor } from "../../protocol/clearSigning/descriptor.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { ACT_TYPES, typedDataDomain } from "../../protocol/typedData.ts";
import { type OpenLedger, openLedger } from "../contracts/world.ts";

const RESOURCE: Hex = `0x${"ab".repeat(32)}`;
const terms = { notBefore: 1_700_000_000, notAfter: 4_000_000_000 };

let world: OpenLedger;
let wallet: DeveloperProvider;
let patient: string;
let ledgerAddress: string;

beforeAll(async () => {
  world = await openLedger();
  patient = await world.people.patient.getAddress();
  ledgerAddress = await world.ledger.getAddress();
});
afterAll(() => world.close());

beforeEach(() => {
  // Node has no window; of the browser's, the wallet uses no more than this.
  vi.stubGlobal("window", { sessionStorage: { getItem: () => null } });
  wallet = new DeveloperProvider({
    personas: [
      { address: patient, name: "Nora Fairwind", role: "Patient", kind: "patient", accountIndex: 3 },
    ],
    rpcUrl: "http://127.0.0.1:1",
    chainId: 31337,
    descriptors: [eip712Descriptor({ chainId: 31337, consentLedger: ledgerAddress as Hex })],
    chain: createPublicClient({ transport: custom({ request: () => Promise.reject(new Error("unused")) }) }),
  });
  return () => vi.unstubAllGlobals();
});

/** What a page asks for, and the question that the person gets of it. */
function ask(typedData: object): { pending: Pending; signature: Promise<unknown> } {
  const signature = wallet.request({
    method: "eth_signTypedData_v4",
    params: [patient, JSON.stringify(typedData)],
  });
  signature.catch(() => undefined);
  const { pending } = wallet.state;
  if (!pending) throw new Error("The wallet asks nothing.");
  return { pending, signature };
}

async function grantRequest() {
  const reader = granteeOf(await world.people.reader.getAddress());
  const deadline = (await world.now()) + 600;
  return {
    types: { Grant: ACT_TYPES.Grant },
    primaryType: "Grant",
    domain: typedDataDomain(31337, ledgerAddress),
    message: {
      patient,
      resource: RESOURCE,
      grantee: reader,
      ...terms,
      purposes: 1,
      actions: 3,
      nonce: "0",
      epoch: "0x0",
      deadline,
    },
  };
}

test("a grant that the person approves is one that anybody may send", async () => {
  const request = await grantRequest();
  const { pending, signature } = ask(request);
  pending.answer(true);
  const { grantee, deadline } = request.message;
  const word = packTerms({ ...terms, purposes: ["TREAT"], actions: ["VIEW", "DOWNLOAD"] });
  const ledger = world.ledger.connect(world.people.stranger);
  const by = { patient, deadline, signature: await signature };
  await (await ledger.getFunction("grantBySig").send(RESOURCE, grantee, word, 0, 0, by)).wait();
  const granted = await ledger.getFunction("grantOf").staticCall(patient, RESOURCE, grantee);
  expect(granted.terms).toBe(word);
});

test("what the person rejects is not signed", async () => {
  const { pending, signature } = ask(await grantRequest());
  pending.answer(false);
  await expect(signature).rejects.toMatchObject({ code: 4001 });
});

test("what has no words is not signed, whatever the person says", async () => {
  const request = await grantRequest();
  const { pending, signature } = ask({ ...request, domain: { ...request.domain, chainId: 1 } });
  expect(pending.asked).toMatchObject({ kind: "typed-data", found: { name: "UnreadableError" } });
  pending.answer(true);
  await expect(signature).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining("signs nothing blindly"),
  });
});

test("other ways of signing typed data stay shut", async () => {
  for (const method of ["eth_signTypedData", "eth_signTypedData_v3", "eth_sign"]) {
    await expect(wallet.request({ method, params: [patient, "{}"] })).rejects.toMatchObject({ code: 4200 });
  }
});
