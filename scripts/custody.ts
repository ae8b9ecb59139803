import { Contract, isError, JsonRpcProvider, Wallet } from "ethers";
import { consentLedgerAbi } from "../protocol/abi/consentLedger.ts";
import { custodianRegistryAbi } from "../protocol/abi/custodianRegistry.ts";
import { emergencyAccessAbi } from "../protocol/abi/emergencyAccess.ts";

/** How an app finds a custodian. */
export interface Listing {
  custodian: string;
  /** The name that patients read. */
  name: string;
  /** The public URL of its gateway. */
  gateway: string;
}

/** What makes an address a custodian with a gateway: an operator that it names, and an entry in the registry. */
export class Custody {
  readonly provider: JsonRpcProvider;

  constructor(rpcUrl: string) {
    this.provider = new JsonRpcProvider(rpcUrl, undefined, { cacheTimeout: -1, pollingInterval: 250 });
  }

  /** Lets a gateway's key register exams in a custodian's name, or no longer. `key` is the custodian's. */
  nameOperator(consentLedger: string, key: string, operator: string, may: boolean): Promise<void> {
    const ledger = new Contract(consentLedger, consentLedgerAbi, new Wallet(key, this.provider));
    return send(ledger, "setOperator", [operator, may]);
  }

  /** Names a practitioner by their badge, so that they can open exams in an emergency, or no longer. `key` is the custodian's. */
  nameBadge(emergencyAccess: string, key: string, badge: string, named: boolean): Promise<void> {
    const emergencies = new Contract(emergencyAccess, emergencyAccessAbi, new Wallet(key, this.provider));
    return send(emergencies, "setPractitioner", [badge, named]);
  }

  /** Lists a custodian, so that apps find its gateway. `key` is the registrar's. */
  list(custodianRegistry: string, key: string, { custodian, name, gateway }: Listing): Promise<void> {
    const registry = new Contract(custodianRegistry, custodianRegistryAbi, new Wallet(key, this.provider));
    return send(registry, "list", [custodian, name, gateway]);
  }

  close(): void {
    this.provider.destroy();
  }
}

async function send(contract: Contract, method: string, parameters: unknown[]): Promise<void> {
  try {
    await (await contract.getFunction(method)(...parameters)).wait();
  } catch (error) {
    if (isError(error, "CALL_EXCEPTION")) {
      const why = error.data ? contract.interface.parseError(error.data)?.name : undefined;
      throw new Error(`The contract refused ${method}: ${why ?? error.shortMessage}.`, { cause: error });
    }
    throw error;
  }
}
