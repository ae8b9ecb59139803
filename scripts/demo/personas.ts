import { HDNodeWallet, Mnemonic } from "ethers";
import type { Persona } from "../../protocol/api.ts";

/** The mnemonic of Hardhat's development accounts, known to everybody: worth nothing, anywhere. */
const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";

/** Who has which development account in the demo. */
export const ACCOUNT = { deployer: 0, custodian: 1, operator: 2, relay: 8 } as const;

/** The custodian that the demo plays. */
export const CUSTODIAN_NAME = "Riverside Imaging (demo)";

const PEOPLE = [
  { accountIndex: 3, name: "Nora Fairwind", role: "Patient", kind: "patient" },
  { accountIndex: 4, name: "Elias Brook", role: "Patient", kind: "patient" },
  {
    accountIndex: 5,
    badgeIndex: 15,
    name: "Dr. Imani Vale",
    role: "Radiologist, Riverside Imaging",
    kind: "practitioner",
  },
  {
    accountIndex: 6,
    badgeIndex: 16,
    name: "Dr. Tomas Reyes",
    role: "Radiologist, second opinion",
    kind: "practitioner",
  },
] as const;

const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(DEVELOPMENT_MNEMONIC), "m/44'/60'/0'/0");

/** A development account's address and key. */
export function account(index: number): { address: string; privateKey: `0x${string}` } {
  const { address, privateKey } = root.deriveChild(index);
  return { address, privateKey: privateKey as `0x${string}` };
}

/** The personas whom the demo's built-in wallet can play. */
export function personas(): Persona[] {
  return PEOPLE.map(({ accountIndex, name, role, kind, ...more }) => ({
    ...{ accountIndex, name, role, kind, address: account(accountIndex).address },
    ...("badgeIndex" in more && {
      badge: { address: account(more.badgeIndex).address, accountIndex: more.badgeIndex },
    }),
  }));
}
