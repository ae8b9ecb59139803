import type { Discovery } from "../../../protocol/api.ts";
import type { Demo } from "../../App.tsx";
import { DeveloperWallet, PersonaList } from "./DeveloperWallet.tsx";
import { installDeveloperWallet } from "./install.ts";

export { DEVELOPER_WALLET_RDNS } from "./install.ts";

/** Installs the developer wallet where the gateway names personas, and hands its interface to the app. */
export function startDemo(discovery: Discovery): Demo | null {
  const provider = installDeveloperWallet(discovery);
  if (!provider) return null;
  return {
    wallet: <DeveloperWallet provider={provider} />,
    personas: <PersonaList provider={provider} />,
  };
}
