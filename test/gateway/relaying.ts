/** Patients who sign, and gateways that send: what the relay's tests share. */
import { HDNodeWallet, Mnemonic, type Signer } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import { granteeOf } from "../../protocol/ids.ts";
import type { Relayed, RelayRequest, RelayState } from "../../protocol/relay.ts";
import { actionsToMask, purposesToMask } from "../../protocol/terms.ts";
import { type Act, typedDataDomain } from "../../protocol/typedData.ts";
import { type Message, noncesOf, signAct } from "../contracts/signing.ts";
import { type PersonName, until, type World } from "../world.ts";

/** A development account that nobody plays: it has ether, and no rights. */
export const RELAYER = HDNodeWallet.fromMnemonic(
  Mnemonic.fromPhrase("test test test test test test test test test test test junk"),
  "m/44'/60'/0'/0/8",
);

/** What turns a gateway's relay on, for patients who are quicker than people. */
export const RELAYING = { RELAY_KEY: RELAYER.privateKey, RELAY_ACTS_PER_MINUTE: "100" };

/** An act's message, as the ledger stands now; over it goes `bent`. */
export async function messageOf(
  world: World,
  act: Act,
  { by, ...fields }: { by: { getAddress(): Promise<string> } } & Record<string, unknown>,
): Promise<Message> {
  const patient = await by.getAddress();
  const now = (await world.provider.getBlock("latest"))?.timestamp ?? 0;
  const deadline = BigInt(now + 3_600);
  const { epoch } = await world.ledger.getFunction("patientOf").staticCall(patient);
  const nonces = await noncesOf(world.ledger, act, { patient, deadline, ...fields });
  return { patient, deadline, ...(act !== "RevokeAll" && { epoch }), ...nonces, ...fields };
}

/** The fields of a message that grants to a person, or revokes from them. */
export function grantTo(world: World, grantee: PersonName, resource: string) {
  const { notBefore, notAfter, purposes, actions } = world.terms();
  const terms = { notBefore, notAfter, purposes: purposesToMask(purposes), actions: actionsToMask(actions) };
  return { resource, grantee: granteeOf(world.people[grantee].address), ...terms };
}
export function revokeFrom(world: World, grantee: PersonName, resource: string) {
  return { resource, grantee: granteeOf(world.people[grantee].address) };
}

/** What is sent to `/relay` for an act that somebody signed. */
export async function signed(
  world: World,
  act: Act,
  message: Message,
  by: Pick<Signer, "getAddress" | "signTypedData">,
): Promise<RelayRequest> {
  const domain = typedDataDomain(31337, world.environment.CONSENT_LEDGER ?? "");
  const signature = await signAct(by, domain, act, message);
  return { act, message: inJson(message), signature } as RelayRequest;
}

/** Whole numbers as `/relay` takes them: up to 48 bits as numbers, the others as decimal text. */
function inJson(message: Message): Record<string, unknown> {
  const text = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(text);
    return typeof value === "bigint" ? value.toString() : value;
  };
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, text(value)]));
}

/** Sign an act as a person, and hand it in. */
export async function relay(world: World, act: Act, name: PersonName, fields: Record<string, unknown>) {
  const by = world.people[name];
  return world.post("/relay", await signed(world, act, await messageOf(world, act, { by, ...fields }), by));
}

/** As `relay`, for what is to be taken. */
export async function taken(...parameters: Parameters<typeof relay>): Promise<Relayed> {
  const answer = await relay(...parameters);
  if (answer.status !== 202) throw new Error(`It was not taken: ${await answer.text()}`);
  return (await answer.json()) as Relayed;
}

/** Wait until an act is as far as that. */
export function untilState(world: World, { id }: Pick<Relayed, "id">, state: RelayState): Promise<Relayed> {
  return until(`the act is ${state}`, async () => {
    const answer = await world.get(`/relay/${id}`);
    const now = (await answer.json()) as Relayed;
    return answer.ok && now.state === state && now;
  });
}

/** How many transactions the relay's key has in blocks. */
export function transactionsOf(world: World): Promise<number> {
  return world.provider.getTransactionCount(RELAYER.address);
}

/** Let blocks come no more, but by hand; and let them come again. */
export async function stopMining(world: World): Promise<void> {
  await world.provider.send("evm_setAutomine", [false]);
  await world.provider.send("evm_setIntervalMining", [0]);
}
export async function goOnMining(world: World): Promise<void> {
  await world.provider.send("evm_setAutomine", [true]);
  await world.provider.send("evm_setIntervalMining", [1_000]);
}

/** Blocks in which nothing that waits can pay for gas, and one in which everything can. */
export async function mineTooDear(world: World, blocks = 1): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    await world.provider.send("hardhat_setNextBlockBaseFeePerGas", ["0xe8d4a51000"]);
    await world.provider.send("evm_mine", []);
  }
}
export async function mineCheap(world: World): Promise<void> {
  await world.provider.send("hardhat_setNextBlockBaseFeePerGas", ["0x1"]);
  await world.provider.send("evm_mine", []);
}

/** A hexadecimal word, for what nobody has. */
export const NOWHERE: Hex = `0x${"77".repeat(32)}`;
