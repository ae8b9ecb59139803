/** A Safe, the wallet that several people hold together: the contracts that its makers publish, and how owners sign. */
import handlerArtifact from "@safe-global/safe-smart-account/build/artifacts/contracts/handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json" with {
  type: "json",
};
import libraryArtifact from "@safe-global/safe-smart-account/build/artifacts/contracts/libraries/SignMessageLib.sol/SignMessageLib.json" with {
  type: "json",
};
import factoryArtifact from "@safe-global/safe-smart-account/build/artifacts/contracts/proxies/SafeProxyFactory.sol/SafeProxyFactory.json" with {
  type: "json",
};
import safeArtifact from "@safe-global/safe-smart-account/build/artifacts/contracts/Safe.sol/Safe.json" with {
  type: "json",
};
import {
  Contract,
  ContractFactory,
  concat,
  hashMessage,
  type InterfaceAbi,
  type Signer,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  ZeroAddress,
} from "ethers";
import type { Signatory } from "./signing.ts";

type Types = Record<string, TypedDataField[]>;
type Value = Record<string, unknown>;

const SAFE_MESSAGE: Types = { SafeMessage: [{ name: "message", type: "bytes" }] };
const SAFE_TX: Types = {
  SafeTx: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "operation", type: "uint8" },
    { name: "safeTxGas", type: "uint256" },
    { name: "baseGas", type: "uint256" },
    { name: "gasPrice", type: "uint256" },
    { name: "gasToken", type: "address" },
    { name: "refundReceiver", type: "address" },
    { name: "nonce", type: "uint256" },
  ],
};

/** What a Safe does with a call: make it, or run the callee's code as its own. */
const CALL = 0;
const DELEGATECALL = 1;

/** Before the first owner in a Safe's list of owners. */
const SENTINEL = `0x${"1".padStart(40, "0")}`;

/** The call that puts a Safe where it is expected. */
type Deployment = { factory: string; data: string };

/** A Safe, and the owners who sign for it. */
export class Safe implements Signatory {
  readonly #contract: Contract;
  readonly #domain: TypedDataDomain;
  readonly #payer: Signer;
  /** Those of its owners who sign for it; a test may choose others. */
  signers: readonly Signer[];

  private constructor(
    contract: Contract,
    domain: TypedDataDomain,
    payer: Signer,
    signers: readonly Signer[],
  ) {
    this.#contract = contract;
    this.#domain = domain;
    this.#payer = payer;
    this.signers = signers;
  }

  /** A Safe for which two of its owners must sign; the first two do. `payer` pays for it, now and later. */
  static async deploy(payer: Signer, owners: readonly Signer[]): Promise<Safe> {
    const { safe, deployment } = await Safe.foresee(payer, owners);
    const transaction = await payer.sendTransaction({ to: deployment.factory, data: deployment.data });
    await transaction.wait();
    return safe;
  }

  /** As `deploy`, but for the deployment itself: the address is known, and has no code yet. */
  static async foresee(
    payer: Signer,
    owners: readonly Signer[],
  ): Promise<{ safe: Safe; deployment: Deployment }> {
    const singleton = await deploy(payer, safeArtifact);
    const handler = await deploy(payer, handlerArtifact);
    const factory = await deploy(payer, factoryArtifact);
    const addresses = await Promise.all(owners.map((owner) => owner.getAddress()));
    const nobody = [ZeroAddress, 0, ZeroAddress];
    const setup = [addresses, 2, ZeroAddress, "0x", await handler.getAddress(), ...nobody];
    const initializer = singleton.interface.encodeFunctionData("setup", setup);
    const create = factory.getFunction("createProxyWithNonce");
    const parameters = [await singleton.getAddress(), initializer, 0];
    const verifyingContract: string = await create.staticCall(...parameters);
    const network = await payer.provider?.getNetwork();
    const domain = { chainId: network?.chainId, verifyingContract };
    const contract = new Contract(verifyingContract, safeArtifact.abi, payer);
    const deployment = {
      factory: await factory.getAddress(),
      data: factory.interface.encodeFunctionData("createProxyWithNonce", parameters),
    };
    return { safe: new Safe(contract, domain, payer, owners.slice(0, 2)), deployment };
  }

  getAddress(): Promise<string> {
    return this.#contract.getAddress();
  }

  /** The owners' signatures over the data, as a message of this Safe's (ERC-1271). */
  signTypedData(domain: TypedDataDomain, types: Types, value: Value): Promise<string> {
    return this.#signed(SAFE_MESSAGE, { message: TypedDataEncoder.hash(domain, types, value) });
  }

  /** The owners' signatures over a text (EIP-191), as a message of this Safe's (ERC-1271). */
  signMessage(text: string | Uint8Array): Promise<string> {
    return this.#signed(SAFE_MESSAGE, { message: hashMessage(text) });
  }

  /** Signs the data on chain, after which an empty signature stands for it. */
  async signOnChain(domain: TypedDataDomain, types: Types, value: Value): Promise<void> {
    const library = await deploy(this.#payer, libraryArtifact);
    const digest = TypedDataEncoder.hash(domain, types, value);
    const data = library.interface.encodeFunctionData("signMessage", [digest]);
    await this.#execute(await library.getAddress(), data, DELEGATECALL);
  }

  /** Puts a new owner in the place of the first. */
  async swapFirstOwner(newOwner: string): Promise<void> {
    const [first] = await this.#contract.getFunction("getOwners").staticCall();
    const data = this.#contract.interface.encodeFunctionData("swapOwner", [SENTINEL, first, newOwner]);
    await this.#execute(await this.getAddress(), data, CALL);
  }

  async #execute(to: string, data: string, operation: number): Promise<void> {
    const nonce = await this.#contract.getFunction("nonce").staticCall();
    const refund = {
      safeTxGas: 0,
      baseGas: 0,
      gasPrice: 0,
      gasToken: ZeroAddress,
      refundReceiver: ZeroAddress,
    };
    const transaction = { to, value: 0, data, operation, ...refund };
    const signatures = await this.#signed(SAFE_TX, { ...transaction, nonce });
    const execute = this.#contract.getFunction("execTransaction");
    await (await execute.send(...Object.values(transaction), signatures)).wait();
  }

  /** What the owners sign in the Safe's own domain, in the order of their addresses. */
  async #signed(types: Types, value: Value): Promise<string> {
    const signed = this.signers.map(async (owner) => {
      return [await owner.getAddress(), await owner.signTypedData(this.#domain, types, value)] as const;
    });
    const inOrder = (await Promise.all(signed)).toSorted(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
    return concat(inOrder.map(([, signature]) => signature));
  }
}

async function deploy(payer: Signer, { abi, bytecode }: { abi: InterfaceAbi; bytecode: string }) {
  const contract = await new ContractFactory(abi, bytecode, payer).deploy();
  return contract.waitForDeployment();
}
