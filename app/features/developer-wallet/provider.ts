/** An EIP-1193 wallet for the local demo. Its keys are published in Hardhat's documentation: never use it elsewhere. */
import {
  createWalletClient,
  type EIP1193RequestFn,
  getAddress,
  type Hex,
  hexToBigInt,
  http,
  isHex,
  numberToHex,
  type PublicClient,
  type WalletClient,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { Persona } from "../../../protocol/api.ts";
import type { Descriptor } from "../../../protocol/clearSigning/descriptor.ts";
import { UnreadableError } from "../signing/index.ts";
import { type Asked, readTypedData } from "./describe.ts";

/** Hardhat's development mnemonic. */
const MNEMONIC = "test test test test test test test test test test test junk";

/** EIP-1193 error: `code` 4001 is a refusal by the person. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A question to the person, waiting for an answer. */
export interface Pending {
  asked: Asked;
  persona: Persona;
  answer: (approved: boolean) => void;
}

/** What the provider shows to its own interface. */
export interface ProviderState {
  persona: Persona | null;
  /** Asks who to be; set while a site wants to connect. */
  choosing: boolean;
  pending: Pending | null;
}

const PERSONA_KEY = "examkey.persona";
type Listener = (...args: unknown[]) => void;

/** Holds the personas' keys, and signs only what the person approves. */
export class DeveloperProvider {
  readonly personas: readonly Persona[];
  /** By what it reads typed data and transactions. */
  readonly descriptors: readonly Descriptor[];
  readonly #wallet: WalletClient;
  readonly #chain: PublicClient;
  readonly #chainId: number;
  readonly #events = new Map<string, Set<Listener>>();
  readonly #watchers = new Set<() => void>();
  #state: ProviderState;
  #chosen: ((persona: Persona | null) => void) | null = null;

  constructor(options: {
    personas: readonly Persona[];
    rpcUrl: string;
    chainId: number;
    descriptors: readonly Descriptor[];
    chain: PublicClient;
  }) {
    this.personas = options.personas;
    this.#wallet = createWalletClient({ transport: http(options.rpcUrl) });
    this.#chain = options.chain;
    this.#chainId = options.chainId;
    this.descriptors = options.descriptors;
    const last = window.sessionStorage.getItem(PERSONA_KEY);
    const persona = this.personas.find(({ address }) => address === last) ?? null;
    this.#state = { persona, choosing: false, pending: null };
  }

  /** For the wallet's own interface. */
  get state(): ProviderState {
    return this.#state;
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Ask the person who to be; a site that waits to connect gets the answer. */
  askWho(): void {
    this.#set({ choosing: true });
  }

  /** Become a persona, or (null) leave things as they are. */
  choose(persona: Persona | null): void {
    if (persona) {
      window.sessionStorage.setItem(PERSONA_KEY, persona.address);
      this.#set({ persona, choosing: false });
      this.#emit("accountsChanged", [persona.address]);
    } else {
      this.#set({ choosing: false });
    }
    this.#chosen?.(persona);
    this.#chosen = null;
  }

  on(event: string, listener: Listener): this {
    const listeners = this.#events.get(event) ?? new Set();
    this.#events.set(event, listeners.add(listener));
    return this;
  }

  removeListener(event: string, listener: Listener): this {
    this.#events.get(event)?.delete(listener);
    return this;
  }

  /** EIP-1193. What needs no key goes to the chain's own endpoint. */
  request = async ({ method, params }: { method: string; params?: unknown }): Promise<unknown> => {
    const args = Array.isArray(params) ? params : [];
    switch (method) {
      case "eth_accounts":
        return this.#state.persona ? [this.#state.persona.address] : [];
      case "eth_requestAccounts":
        return [(await this.#connect()).address];
      case "wallet_requestPermissions":
        return [
          { parentCapability: "eth_accounts", caveats: [{ value: [(await this.#connect()).address] }] },
        ];
      case "wallet_revokePermissions":
        return this.#disconnect();
      case "eth_chainId":
        return numberToHex(this.#chainId);
      case "wallet_switchEthereumChain":
      case "wallet_addEthereumChain":
        return this.#acceptChain(args[0]);
      case "personal_sign":
        return this.#signMessage(args[0], args[1]);
      case "eth_signTypedData_v4":
        return this.#signTypedData(args[0], args[1]);
      case "eth_sendTransaction":
        return this.#sendTransaction(args[0]);
      default: {
        if (method.startsWith("wallet_") || method.includes("sign")) {
          throw new ProviderError(4200, `The developer wallet does not do ${method}.`);
        }
        const forward = this.#chain.request as EIP1193RequestFn;
        return forward({ method, params } as Parameters<EIP1193RequestFn>[0]);
      }
    }
  };

  async #connect(): Promise<Persona> {
    // The page may have let the person choose already.
    if (this.#state.persona) return this.#state.persona;
    this.askWho();
    const persona = await new Promise<Persona | null>((resolve) => {
      this.#chosen?.(null);
      this.#chosen = resolve;
    });
    if (!persona) throw new ProviderError(4001, "Nobody was chosen.");
    return persona;
  }

  #disconnect(): null {
    window.sessionStorage.removeItem(PERSONA_KEY);
    this.#set({ persona: null });
    return null;
  }

  #acceptChain(chain: unknown): null {
    if (fieldsOf(chain).chainId === numberToHex(this.#chainId)) return null;
    throw new ProviderError(4902, "The developer wallet knows the local network only.");
  }

  async #signMessage(data: unknown, from: unknown): Promise<Hex> {
    const persona = this.#personaOf(from);
    if (!isHex(data)) throw new ProviderError(-32602, "The message is not hexadecimal.");
    await this.#approve(persona, { kind: "message", data });
    return accountAt(persona.accountIndex).signMessage({ message: { raw: data } });
  }

  async #signTypedData(from: unknown, typedData: unknown): Promise<Hex> {
    const { persona, address, accountIndex } = this.#signerOf(from);
    const asked = readTypedData(this.descriptors, typedData, getAddress(address));
    const { found } = asked;
    if (found instanceof UnreadableError) {
      // The person is told, and can say nothing but no.
      await this.#approve(persona, asked).catch(() => undefined);
      throw new ProviderError(-32602, `The developer wallet signs nothing blindly. ${found.message}`);
    }
    await this.#approve(persona, asked);
    const { domain, primaryType, members, data } = found;
    const types = { [primaryType]: members };
    return accountAt(accountIndex).signTypedData({ domain, types, primaryType, message: data });
  }

  async #sendTransaction(transaction: unknown): Promise<Hex> {
    const { from, to, data, input, value } = fieldsOf(transaction);
    const persona = this.#personaOf(from);
    const call = isHex(data) ? data : isHex(input) ? input : "0x";
    const target = typeof to === "string" ? getAddress(to) : null;
    const amount = isHex(value) ? hexToBigInt(value) : 0n;
    const chainId = this.#chainId;
    await this.#approve(persona, { kind: "transaction", chainId, to: target, data: call, value: amount });
    const account = accountAt(persona.accountIndex);
    const request = await this.#wallet.prepareTransactionRequest({
      account,
      chain: null,
      chainId,
      to: target,
      data: call,
      value: amount,
    });
    const serializedTransaction = await account.signTransaction(
      request as Parameters<typeof account.signTransaction>[0],
    );
    return this.#wallet.sendRawTransaction({ serializedTransaction });
  }

  /** Ask the person; resolves only with a yes. Questions wait for one another. */
  async #approve(persona: Persona, asked: Asked): Promise<void> {
    if (this.#state.pending)
      throw new ProviderError(-32002, "The developer wallet is already asking something.");
    const approved = await new Promise<boolean>((answer) => {
      this.#set({ pending: { asked, persona, answer } });
    });
    this.#set({ pending: null });
    if (!approved) throw new ProviderError(4001, "Rejected in the developer wallet.");
  }

  #personaOf(from: unknown): Persona {
    const persona = this.personas.find(({ address }) => isSame(address, from));
    if (!persona) throw new ProviderError(4100, "The developer wallet does not hold this account.");
    return persona;
  }

  /** Whose typed data it is to sign: a persona, by the account that they sign in with or by their badge. */
  #signerOf(from: unknown): { persona: Persona; address: string; accountIndex: number } {
    const holder = this.personas.find(({ badge }) => isSame(badge?.address, from));
    if (holder?.badge) return { persona: holder, ...holder.badge };
    const persona = this.#personaOf(from);
    return { persona, address: persona.address, accountIndex: persona.accountIndex };
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#events.get(event) ?? []) listener(...args);
  }

  #set(change: Partial<ProviderState>): void {
    this.#state = { ...this.#state, ...change };
    for (const watcher of this.#watchers) watcher();
  }
}

function accountAt(addressIndex: number) {
  return mnemonicToAccount(MNEMONIC, { addressIndex });
}

function isSame(address: string | undefined, from: unknown): boolean {
  return typeof from === "string" && address?.toLowerCase() === from.toLowerCase();
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
