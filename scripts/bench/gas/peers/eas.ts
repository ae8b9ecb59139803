/**
 * The Ethereum Attestation Service: a patient attests that a reader may read, until a date. Measured with nothing in the
 * attestation's data, which is the least, and with the resource in it, without which ten attestations say the same.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BaseContract, Signature, ZeroAddress, ZeroHash } from "ethers";
import type { Chain, Compiled, Measured } from "../chain.ts";
import { DEADLINE, hasZeroByte, PERIOD, signedFrom, tenWords, withoutZeroByte, word } from "../samples.ts";

const ATTEST = [
  { name: "attester", type: "address" },
  { name: "schema", type: "bytes32" },
  { name: "recipient", type: "address" },
  { name: "expirationTime", type: "uint64" },
  { name: "revocable", type: "bool" },
  { name: "refUID", type: "bytes32" },
  { name: "data", type: "bytes" },
  { name: "value", type: "uint256" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint64" },
];

function artifact(name: "EAS" | "SchemaRegistry"): Compiled {
  const file = `@ethereum-attestation-service/eas-contracts/artifacts/contracts/${name}.sol/${name}.json`;
  return JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(file)), "utf8"));
}

/** EAS with one revocable schema, and a recipient. */
type Service = { eas: BaseContract; schema: string; recipient: string };

async function deployService({ deploy, measure, accountOf }: Chain): Promise<Service> {
  const registry = await deploy(artifact("SchemaRegistry"));
  const eas = await deploy(artifact("EAS"), await registry.getAddress());
  const registered = await measure(registry, "custodian", "register", "bytes32 resource", ZeroAddress, true);
  const schema = registered.logs[0]?.topics[1];
  if (!schema) throw new Error("The schema has no event.");
  return { eas, schema: withoutZeroByte(schema), recipient: accountOf("reader").address };
}

const attestation = (recipient: string, data: string) => ({
  recipient,
  expirationTime: PERIOD.notAfter,
  revocable: true,
  refUID: ZeroHash,
  data,
  value: 0,
});

/** The only word of data in the event `Attested`. */
function uidOf({ logs }: Measured): string {
  return logs[0]?.data ?? "";
}

/** An attestation that the patient signs; `nonce` is how many of theirs came before. */
async function attestBySignature(
  chain: Chain,
  { eas, schema, recipient }: Service,
  data: string,
  nonce: number,
): Promise<Measured> {
  const patient = chain.accountOf("patient");
  const attester = patient.address;
  const domain = {
    name: "EAS",
    version: "1.4.0",
    chainId: chain.chainId,
    verifyingContract: await eas.getAddress(),
  };
  const about = attestation(recipient, data);
  const { second: deadline, signatures } = await signedFrom([patient], DEADLINE, (second) => ({
    domain,
    types: { Attest: ATTEST },
    message: { ...about, attester, schema, nonce, deadline: second },
  }));
  const { v, r, s } = Signature.from(signatures[0]);
  const request = { schema, data: about, signature: { v, r, s }, attester, deadline };
  return chain.measure(eas, "relayer", "attestByDelegation", request);
}

/** Attests, revokes and attests ten, with nothing in the data and with the resource; then by signature. */
export async function easCosts(chain: Chain) {
  const service = await deployService(chain);
  const { eas, schema, recipient } = service;
  const send = (act: string, request: unknown) => chain.measure(eas, "patient", act, request);
  // A uid follows from the time, and a revoke carries it: only one without a zero byte will do.
  const attest = async (data: string): Promise<Measured> => {
    const attested = await send("attest", { schema, data: attestation(recipient, data) });
    return hasZeroByte(uidOf(attested)) ? attest(data) : attested;
  };
  const attestTen = (all: string[]) =>
    send("multiAttest", [{ schema, data: all.map((data) => attestation(recipient, data)) }]);
  const revoke = (attested: Measured) => send("revoke", { schema, data: { uid: uidOf(attested), value: 0 } });

  const [bare, full] = [await attest("0x"), await attest(word(0x33))];
  // The attester's counter of signatures is a slot that only the first of them finds empty: it is not counted.
  await attestBySignature(chain, service, "0x", 0);
  return {
    "EAS attest": bare.gas,
    "EAS attest, with the resource": full.gas,
    "EAS revoke": (await revoke(bare)).gas,
    "EAS revoke, with the resource": (await revoke(full)).gas,
    "EAS multiAttest of ten": (await attestTen(tenWords(0x51).map(() => "0x"))).gas,
    "EAS multiAttest of ten, with the resources": (await attestTen(tenWords(0x51))).gas,
    "EAS attestByDelegation": (await attestBySignature(chain, service, "0x", 1)).gas,
    "EAS attestByDelegation, with the resource": (await attestBySignature(chain, service, word(0x33), 2)).gas,
  };
}
