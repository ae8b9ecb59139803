import { Contract, JsonRpcProvider, NonceManager, parseEther, toQuantity, Wallet } from "ethers";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { custodianRegistryAbi } from "../../protocol/abi/custodianRegistry.ts";
import { ACCOUNT, account, CUSTODIAN_NAME } from "./personas.ts";

/** What the demo's custodian, and who governs the registry, do on the local chain. */
export class CustodianDesk {
  readonly #provider: JsonRpcProvider;
  readonly #contracts: { consentLedger: string; custodianRegistry: string };

  constructor(rpcUrl: string, contracts: { consentLedger: string; custodianRegistry: string }) {
    this.#provider = new JsonRpcProvider(rpcUrl, undefined, { cacheTimeout: -1, pollingInterval: 100 });
    this.#contracts = contracts;
  }

  /** Lets the gateway's key register exams in the custodian's name. */
  async nameOperator(): Promise<void> {
    const ledger = new Contract(
      this.#contracts.consentLedger,
      consentLedgerAbi,
      this.#signer(ACCOUNT.custodian),
    );
    const sent = await ledger.getFunction("setOperator")(account(ACCOUNT.operator).address, true);
    await sent.wait();
  }

  /** Lists the custodian, so that apps find its gateway. */
  async list(gatewayUrl: string): Promise<void> {
    const registry = new Contract(
      this.#contracts.custodianRegistry,
      custodianRegistryAbi,
      this.#signer(ACCOUNT.deployer),
    );
    const { address } = account(ACCOUNT.custodian);
    const sent = await registry.getFunction("list")(address, CUSTODIAN_NAME, gatewayUrl);
    await sent.wait();
  }

  /** Gives a wallet of the person's own enough to pay for transactions on the local chain. */
  async fund(address: string): Promise<void> {
    await this.#provider.send("hardhat_setBalance", [address, toQuantity(parseEther("100"))]);
  }

  close(): void {
    this.#provider.destroy();
  }

  #signer(index: number): NonceManager {
    return new NonceManager(new Wallet(account(index).privateKey, this.#provider));
  }
}
