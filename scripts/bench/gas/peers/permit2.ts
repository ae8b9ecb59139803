/** Uniswap's Permit2: an allowance with an amount, an end and a nonce in one slot, by transaction or by signature. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BaseContract } from "ethers";
import type { Chain } from "../chain.ts";
import { AMOUNT, DEADLINE, PERIOD, signedFrom, tenAddresses, wordAddress } from "../samples.ts";

/** Of the two overloads of `permit`, each needs its signature to be told apart. */
const PERMIT = "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)";
const PERMIT_BATCH = "permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)";

const DETAILS = "(address token, uint160 amount, uint48 expiration, uint48 nonce)";
const ABI = [
  "function approve(address token, address spender, uint160 amount, uint48 expiration)",
  "function lockdown((address token, address spender)[] approvals)",
  `function permit(address owner, (${DETAILS} details, address spender, uint256 sigDeadline) permitSingle, bytes signature)`,
  `function permit(address owner, (${DETAILS}[] details, address spender, uint256 sigDeadline) permitBatch, bytes signature)`,
];

const DETAILS_TYPE = [
  { name: "token", type: "address" },
  { name: "amount", type: "uint160" },
  { name: "expiration", type: "uint48" },
  { name: "nonce", type: "uint48" },
];

/** Uniswap publishes Permit2's bytecode inside the types of its router. */
function bytecode(): string {
  const file = import.meta.resolve("@uniswap/universal-router/typechain/factories/Permit2__factory.ts");
  const found = readFileSync(fileURLToPath(file), "utf8").match(/_bytecode =\s*"(0x[0-9a-f]+)"/)?.[1];
  if (!found) throw new Error(`There is no bytecode in ${file}.`);
  return found;
}

function typeOf(name: "PermitSingle" | "PermitBatch", details: string) {
  return {
    [name]: [
      { name: "details", type: details },
      { name: "spender", type: "address" },
      { name: "sigDeadline", type: "uint256" },
    ],
    PermitDetails: DETAILS_TYPE,
  };
}

const detailsOf = (token: string) => ({ token, amount: AMOUNT, expiration: PERIOD.notAfter, nonce: 0 });

/** Signs as the patient what one of the two `permit` takes. */
async function permitArguments(
  chain: Chain,
  permit2: BaseContract,
  types: ReturnType<typeof typeOf>,
  details: object,
) {
  const patient = chain.accountOf("patient");
  const spender = chain.accountOf("reader").address;
  const domain = {
    name: "Permit2",
    chainId: chain.chainId,
    verifyingContract: await permit2.getAddress(),
  };
  const messageOf = (sigDeadline: number) => ({ details, spender, sigDeadline });
  const { second, signatures } = await signedFrom([patient], DEADLINE, (sigDeadline) => ({
    domain,
    types,
    message: messageOf(sigDeadline),
  }));
  return [patient.address, messageOf(second), signatures[0]];
}

/** Approves, approves another amount, locks down, and permits one token and ten by signature. */
export async function permit2Costs(chain: Chain) {
  const { deploy, measure, accountOf } = chain;
  const permit2 = await deploy({ abi: ABI, bytecode: bytecode() });
  const [token, spender] = [wordAddress(0x21), accountOf("reader").address];
  const one = await permitArguments(
    chain,
    permit2,
    typeOf("PermitSingle", "PermitDetails"),
    detailsOf(wordAddress(0x22)),
  );
  const ten = await permitArguments(
    chain,
    permit2,
    typeOf("PermitBatch", "PermitDetails[]"),
    tenAddresses(0x23).map(detailsOf),
  );
  const gas = async (role: "patient" | "relayer", act: string, ...args: unknown[]) =>
    (await measure(permit2, role, act, ...args)).gas;
  return {
    "Permit2 approve": await gas("patient", "approve", token, spender, AMOUNT, PERIOD.notAfter),
    "Permit2 approve, another amount": await gas(
      "patient",
      "approve",
      token,
      spender,
      AMOUNT + 1,
      PERIOD.notAfter,
    ),
    "Permit2 lockdown": await gas("patient", "lockdown", [{ token, spender }]),
    "Permit2 permit": await gas("relayer", PERMIT, ...one),
    "Permit2 permit of ten": await gas("relayer", PERMIT_BATCH, ...ten),
  };
}
