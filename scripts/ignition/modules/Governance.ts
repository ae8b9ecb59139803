import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import ExamKey from "./ExamKey.ts";

/** AccessManager's `ADMIN_ROLE`. */
const ADMIN = 0n;

/**
 * Hands the administration of the registry's AccessManager from the deployer to `governor`, ideally a
 * multi-signature wallet, whose acts must have been announced for `governorDelay` seconds.
 * Afterwards the deployer administers nothing; it stays registrar if it was made one.
 */
export default buildModule("Governance", (m) => {
  const { accessManager } = m.useModule(ExamKey);
  const granted = m.call(accessManager, "grantRole", [
    ADMIN,
    m.getParameter("governor"),
    m.getParameter("governorDelay"),
  ]);
  m.call(accessManager, "renounceRole", [ADMIN, m.getAccount(0)], { after: [granted] });
  return { accessManager };
});
