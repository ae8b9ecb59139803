import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { Interface } from "ethers";
import { custodianRegistryAbi } from "../../../protocol/abi/custodianRegistry.ts";

/** The role that lists and removes custodians. Role 0 is AccessManager's own: it administers all others. */
export const REGISTRAR = 1n;

const registry = new Interface(custodianRegistryAbi);
const GOVERNED = ["list", "remove"].map((name) => registry.getFunction(name)?.selector ?? "");

/**
 * The ledger with its periphery, and the registry of custodians with its AccessManager. Parameters: `registrar`, who may list
 * and remove custodians (the deployer unless given), and `registrarDelay`, for how many seconds each
 * such act must have been announced (0 unless given). The deployer administers the manager until
 * `Governance.ts` hands that over.
 */
export default buildModule("ExamKey", (m) => {
  const deployer = m.getAccount(0);
  const registrar = m.getParameter("registrar", deployer);
  const registrarDelay = m.getParameter("registrarDelay", 0);

  const consentLedger = m.contract("ConsentLedger");
  const accessLog = m.contract("AccessLog", [consentLedger]);
  const emergencyAccess = m.contract("EmergencyAccess", [consentLedger]);
  const accessManager = m.contract("AccessManager", [deployer]);
  const custodianRegistry = m.contract("CustodianRegistry", [accessManager]);

  m.call(accessManager, "labelRole", [REGISTRAR, "REGISTRAR"]);
  m.call(accessManager, "grantRole", [REGISTRAR, registrar, registrarDelay]);
  m.call(accessManager, "setTargetFunctionRole", [custodianRegistry, GOVERNED, REGISTRAR]);
  return { consentLedger, accessLog, emergencyAccess, accessManager, custodianRegistry };
});
