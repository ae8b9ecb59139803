/**
 * Smart accounts of one key: one that is a contract of its own, and an EOA that has delegated to one (EIP-7702). Both
 * take typed data alone that is nested in typed data of theirs (ERC-7739), so that no key signs for two accounts at once.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ContractFactory,
  concat,
  type InterfaceAbi,
  type Signer,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  toBeHex,
  toUtf8Bytes,
  ZeroHash,
} from "ethers";
import solc from "solc";
import type { Signatory } from "./signing.ts";

type Types = Record<string, TypedDataField[]>;
type Value = Record<string, unknown>;
type AccountName = "KeyAccount" | "DelegateAccount";
type Compiled = { abi: InterfaceAbi; evm: { bytecode: { object: string } } };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The account's own domain, as fields of what its key signs. */
const ACCOUNT_FIELDS = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
  { name: "salt", type: "bytes32" },
];

/** An account, and the key that signs for it. */
export class Account implements Signatory {
  readonly #address: string;
  readonly #name: string;
  readonly #chainId: bigint;
  readonly #key: Signatory;

  private constructor(address: string, name: string, chainId: bigint, key: Signatory) {
    this.#address = address;
    this.#name = name;
    this.#chainId = chainId;
    this.#key = key;
  }

  /** A contract that takes what `key` signs. */
  static async deploy(payer: Signer, key: Signatory): Promise<Account> {
    const address = await deploy("KeyAccount", payer, await key.getAddress());
    return new Account(address, "KeyAccount", await chainIdOf(payer), key);
  }

  /** The EOA itself, delegated to an account's code by a transaction that `payer` sends for it. */
  static async delegate(payer: Signer, eoa: Signer): Promise<Account> {
    const implementation = await deploy("DelegateAccount", payer);
    await delegateTo(payer, eoa, implementation);
    return new Account(await eoa.getAddress(), "DelegateAccount", await chainIdOf(payer), eoa);
  }

  async getAddress(): Promise<string> {
    return this.#address;
  }

  async signTypedData(domain: TypedDataDomain, types: Types, value: Value): Promise<string> {
    const contents = TypedDataEncoder.getPrimaryType(types);
    const nested = { ...types, TypedDataSign: [{ name: "contents", type: contents }, ...ACCOUNT_FIELDS] };
    const account = {
      name: this.#name,
      version: "1",
      chainId: this.#chainId,
      verifyingContract: this.#address,
      salt: ZeroHash,
    };
    const description = toUtf8Bytes(TypedDataEncoder.from(types).encodeType(contents));
    return concat([
      await this.#key.signTypedData(domain, nested, { contents: value, ...account }),
      TypedDataEncoder.hashDomain(domain),
      TypedDataEncoder.hashStruct(contents, types, value),
      description,
      toBeHex(description.length, 2),
    ]);
  }
}

/** Lets an EOA run an implementation's code from now on, or none if that is the zero address (EIP-7702). */
export async function delegateTo(payer: Signer, eoa: Signer, implementation: string): Promise<void> {
  const authorizationList = [await eoa.authorize({ address: implementation })];
  await (await payer.sendTransaction({ type: 4, to: payer, authorizationList })).wait();
}

async function chainIdOf(signer: Signer): Promise<bigint> {
  const network = await signer.provider?.getNetwork();
  if (!network) throw new Error("The signer is on no chain.");
  return network.chainId;
}

/** What was compiled already. */
const compiled = new Map<AccountName, Compiled>();

async function deploy(name: AccountName, payer: Signer, ...parameters: string[]): Promise<string> {
  const account = compiled.get(name) ?? compile(name);
  compiled.set(name, account);
  const factory = new ContractFactory(account.abi, account.evm.bytecode.object, payer);
  const contract = await factory.deploy(...parameters);
  return (await contract.waitForDeployment()).getAddress();
}

/** A contract of this folder: those are not among what is built to be deployed. */
function compile(name: AccountName): Compiled {
  const file = `test/contracts/${name}.sol`;
  const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
  const find = (path: string) => ({ contents: read(join("node_modules", path)) });
  const input = {
    language: "Solidity",
    sources: { [file]: { content: read(file) } },
    settings: {
      evmVersion: "cancun",
      outputSelection: { [file]: { [name]: ["abi", "evm.bytecode.object"] } },
    },
  };
  return JSON.parse(solc.compile(JSON.stringify(input), { import: find })).contracts[file][name];
}
