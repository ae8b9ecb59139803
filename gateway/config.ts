/** The gateway's configuration, from environment variables, checked before anything starts. */
import { isIP } from "node:net";
import { delimiter, resolve } from "node:path";
import { HDNodeWallet, Mnemonic } from "ethers";
import { z } from "zod";
import { discoverySchema } from "../protocol/api.ts";
import type { Hex } from "../protocol/hash.ts";
import type { LimitOptions } from "./operations/limits.ts";
import type { RelayLimits } from "./relay/relay.ts";

/** The gateway cannot start as it was told to. `message` names the variable and the way out. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Chain id of a local development chain: the only one where development keys and personas are accepted. */
export const LOCAL_CHAIN_ID = 31337;

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address: 0x and 40 hexadecimal digits")
  .transform((text) => text.toLowerCase() as Hex);
const privateKey = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "must be a private key: 0x and 64 hexadecimal digits")
  .transform((text) => text as Hex);
const httpUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .transform((text) => text.replace(/\/+$/, ""));
const wholeNumber = (least: number, most: number) =>
  z.coerce.number("must be a number").int("must be a whole number").min(least).max(most);

/** Every variable that is read, with its default. An empty one counts as not set. */
export const environmentSchema = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: wholeNumber(0, 65535).default(8080),
  PUBLIC_URL: httpUrl.optional(),
  RPC_URL: httpUrl.default("http://127.0.0.1:8545"),
  PUBLIC_RPC_URL: httpUrl.optional(),
  CHAIN_NAME: z.string().default("Local chain"),
  CONSENT_LEDGER: address,
  /** First block that may hold an event of the ledger; following starts there. */
  CONSENT_LEDGER_BLOCK: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  CUSTODIAN_REGISTRY: address,
  /** Without it, receipts are given and kept, and not anchored. */
  ACCESS_LOG: address.optional(),
  /** Without it, no exam is opened in an emergency. */
  EMERGENCY_ACCESS: address.optional(),
  ANCHOR_INTERVAL: wholeNumber(1, 86_400).default(3_600),
  CUSTODIAN: address,
  OPERATOR_KEY: privateKey,
  /** The custodian's own key, needed only to retire an exam. A hospital keeps it elsewhere. */
  CUSTODIAN_KEY: privateKey.optional(),
  /** Sends what patients sign; without it, they send it themselves. */
  RELAY_KEY: privateKey.optional(),
  RELAY_GAS_PER_DAY: wholeNumber(1, 1_000_000_000).default(2_000_000),
  RELAY_ACTS_PER_MINUTE: wholeNumber(1, 1_000_000).default(10),
  RELAY_PATIENCE: wholeNumber(0, 86_400).default(60),
  DICOMWEB_URL: httpUrl.optional(),
  DICOMWEB_USERNAME: z.string().optional(),
  DICOMWEB_PASSWORD: z.string().optional(),
  DICOM_DIRS: z.string().optional(),
  /** Seconds between looks for new studies of enrolled patients; 0 never looks. */
  ARCHIVE_POLL: wholeNumber(0, 86_400).default(60),
  /** Seconds for which a study must not change before it is registered. */
  STUDY_STABLE: wholeNumber(0, 86_400).default(60),
  /** Seconds after which a transaction that is not mined is sent again with a higher fee. */
  RESEND_AFTER: wholeNumber(1, 86_400).default(60),
  /** Megabytes of memory for frames; 0 keeps none. */
  FRAME_CACHE_MB: wholeNumber(0, 1_048_576).default(0),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must begin with postgresql://")
    .optional(),
  DATA_DIR: z.string().default(".examkey"),
  ALLOWED_ORIGINS: z.string().default(""),
  GRANT_CONFIRMATIONS: wholeNumber(0, 128).default(0),
  HEAD_MAX_AGE: wholeNumber(1, 86_400).default(60),
  HEAD_POLL_MS: wholeNumber(20, 60_000).default(250),
  DATA_KEY: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, "must be 32 bytes: 64 hexadecimal digits")
    .optional(),
  SESSION_SECRET: z.string().min(32, "must have 32 characters or more").optional(),
  APP_DIR: z.string().optional(),
  DEMO_PERSONAS: z.string().optional(),
  TRUST_PROXY: z.string().default(""),
  RATE_LIMIT_SIGN_INS: wholeNumber(1, 1_000_000).default(300),
  RATE_LIMIT_REFUSALS: wholeNumber(1, 1_000_000).default(1_000),
  RATE_LIMIT_STREAMS: wholeNumber(1, 1_000_000).default(32),
  METRICS_HOST: z.string().default("127.0.0.1"),
  METRICS_PORT: wholeNumber(0, 65535).optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`).default("info"),
});

const personasSchema = discoverySchema.shape.personas.unwrap();

/** Where the images are: a DICOMweb server, or folders that the gateway serves itself. */
export type ArchiveConfig =
  | { kind: "dicomweb"; url: string; username: string | null; password: string | null }
  | { kind: "folders"; folders: string[] };

/** Addresses are in lower case. */
export type GatewayConfig = {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Absolute URL that browsers reach this gateway at; null for the address it listens on. */
  publicUrl: string | null;
  rpcUrl: string;
  publicRpcUrl: string;
  chainName: string;
  consentLedger: Hex;
  consentLedgerBlock: number;
  custodianRegistry: Hex;
  /** Null where receipts are not anchored. */
  accessLog: Hex | null;
  /** Null where no emergencies are honoured. */
  emergencyAccess: Hex | null;
  /** Seconds between two anchors. */
  anchorInterval: number;
  custodian: Hex;
  operatorKey: Hex;
  custodianKey: Hex | null;
  /** Null where patients send their acts themselves. */
  relayKey: Hex | null;
  relayLimits: RelayLimits;
  archive: ArchiveConfig;
  /** Seconds between looks for new studies; 0 never looks. */
  archivePoll: number;
  /** Seconds. */
  studyStable: number;
  /** Seconds. */
  resendAfter: number;
  /** Bytes of memory for frames; 0 keeps none. */
  frameCache: number;
  /** PostgreSQL; null for PGlite within `dataDir`. */
  databaseUrl: string | null;
  dataDir: string;
  /** Origins besides the gateway's own whose pages may call it and sign in to it. */
  allowedOrigins: string[];
  grantConfirmations: number;
  /** Seconds. */
  headMaxAge: number;
  /** Milliseconds. */
  headPoll: number;
  /** Seals what the database should not show; null for a key that is kept in it, which hides nothing from who has all of it. */
  dataKey: string | null;
  /** Null for one that is made once and kept in the database. */
  sessionSecret: string | null;
  /** Folder of the built app; null serves none. */
  appDir: string | null;
  personas: z.infer<typeof personasSchema> | null;
  /** Addresses and ranges (CIDR) of the proxies in front, whose word on who asked, and where, is taken. */
  trustedProxies: string[];
  limits: LimitOptions;
  /** Where Prometheus finds `/metrics`; null for nowhere. */
  metrics: { host: string; port: number } | null;
  logLevel: (typeof LOG_LEVELS)[number];
};

/**
 * The configuration that the environment describes.
 * @throws {ConfigError} with one line for each thing that is wrong
 */
export function readConfig(environment: Record<string, string | undefined>): GatewayConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => describeIssue(issue, given)).join("\n"));
  }
  const env = parsed.data;
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL ?? null,
    rpcUrl: env.RPC_URL,
    publicRpcUrl: env.PUBLIC_RPC_URL ?? loopbackOnly(env.RPC_URL),
    chainName: env.CHAIN_NAME,
    consentLedger: env.CONSENT_LEDGER,
    consentLedgerBlock: env.CONSENT_LEDGER_BLOCK,
    custodianRegistry: env.CUSTODIAN_REGISTRY,
    accessLog: env.ACCESS_LOG ?? null,
    emergencyAccess: env.EMERGENCY_ACCESS ?? null,
    anchorInterval: env.ANCHOR_INTERVAL,
    custodian: env.CUSTODIAN,
    operatorKey: env.OPERATOR_KEY,
    custodianKey: env.CUSTODIAN_KEY ?? null,
    relayKey: readRelayKey(env),
    relayLimits: {
      gasPerDay: env.RELAY_GAS_PER_DAY,
      actsPerMinute: env.RELAY_ACTS_PER_MINUTE,
      patience: env.RELAY_PATIENCE,
    },
    archive: readArchive(env),
    archivePoll: env.ARCHIVE_POLL,
    studyStable: env.STUDY_STABLE,
    resendAfter: env.RESEND_AFTER,
    frameCache: env.FRAME_CACHE_MB * 1024 * 1024,
    databaseUrl: env.DATABASE_URL ?? null,
    dataDir: resolve(env.DATA_DIR),
    allowedOrigins: readOrigins(env.ALLOWED_ORIGINS),
    grantConfirmations: env.GRANT_CONFIRMATIONS,
    headMaxAge: env.HEAD_MAX_AGE,
    headPoll: env.HEAD_POLL_MS,
    dataKey: env.DATA_KEY?.toLowerCase() ?? null,
    sessionSecret: env.SESSION_SECRET ?? null,
    appDir: env.APP_DIR ? resolve(env.APP_DIR) : null,
    personas: readPersonas(env.DEMO_PERSONAS),
    trustedProxies: readProxies(env.TRUST_PROXY),
    limits: {
      signIns: env.RATE_LIMIT_SIGN_INS,
      refusals: env.RATE_LIMIT_REFUSALS,
      streams: env.RATE_LIMIT_STREAMS,
    },
    metrics: env.METRICS_PORT === undefined ? null : { host: env.METRICS_HOST, port: env.METRICS_PORT },
    logLevel: env.LOG_LEVEL,
  };
}

/**
 * Refuse development keys and personas where anybody but this machine's user could reach them.
 * @throws {ConfigError}
 */
export function refuseDevelopmentKeys(config: GatewayConfig, chainId: number): void {
  const where = exposureOf(config, chainId);
  if (!where) return;
  if (config.personas) throw new ConfigError(`DEMO_PERSONAS: refused ${where}; unset it.`);
  const known = developmentKeys();
  for (const [name, key] of [
    ["OPERATOR_KEY", config.operatorKey],
    ["CUSTODIAN_KEY", config.custodianKey],
    ["RELAY_KEY", config.relayKey],
  ] as const) {
    if (key && known.has(key.toLowerCase())) {
      throw new ConfigError(
        `${name}: this is a published development key, refused ${where}; make a key of your own.`,
      );
    }
  }
}

/** What lets others reach a gateway or its chain, or null where nothing does. */
function exposureOf({ host, publicUrl }: GatewayConfig, chainId: number): string | null {
  if (chainId !== LOCAL_CHAIN_ID) return `on chain ${chainId}`;
  if (!isLoopback(host)) return `on HOST=${host}`;
  return publicUrl && !isLoopback(new URL(publicUrl).hostname) ? `at PUBLIC_URL=${publicUrl}` : null;
}

/** Whether a host name is this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function readArchive(env: z.infer<typeof environmentSchema>): ArchiveConfig {
  if (env.DICOMWEB_URL && env.DICOM_DIRS) {
    throw new ConfigError("DICOMWEB_URL and DICOM_DIRS: set one of them, not both.");
  }
  if (env.DICOMWEB_URL) {
    if (new URL(env.DICOMWEB_URL).username) {
      throw new ConfigError("DICOMWEB_URL: put the credentials in DICOMWEB_USERNAME and DICOMWEB_PASSWORD.");
    }
    return {
      kind: "dicomweb",
      url: env.DICOMWEB_URL,
      username: env.DICOMWEB_USERNAME ?? null,
      password: env.DICOMWEB_PASSWORD ?? null,
    };
  }
  if (!env.DICOM_DIRS) {
    throw new ConfigError(
      "DICOMWEB_URL or DICOM_DIRS: set one, the archive's DICOMweb root or folders of DICOM files.",
    );
  }
  const folders = env.DICOM_DIRS.split(delimiter).filter(Boolean);
  return { kind: "folders", folders: folders.map((folder) => resolve(folder)) };
}

/** An endpoint elsewhere may hold a key in its URL, so it is shown to browsers only where it is named for them. */
function loopbackOnly(rpcUrl: string): string {
  if (isLoopback(new URL(rpcUrl).hostname)) return rpcUrl;
  throw new ConfigError(
    "PUBLIC_RPC_URL: is not set. Everybody is told this URL: name an endpoint that browsers may use.",
  );
}

/** It sends whatever a patient signed, and so must be able to do nothing by itself. */
function readRelayKey({
  RELAY_KEY,
  OPERATOR_KEY,
  CUSTODIAN_KEY,
}: z.infer<typeof environmentSchema>): Hex | null {
  const others = [OPERATOR_KEY, CUSTODIAN_KEY].map((key) => key?.toLowerCase());
  if (RELAY_KEY && others.includes(RELAY_KEY.toLowerCase() as Hex))
    throw new ConfigError(
      "RELAY_KEY: is another of the gateway's keys. Make one that is used for this alone.",
    );
  return RELAY_KEY ?? null;
}

function readOrigins(list: string): string[] {
  return list
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean)
    .map((text) => {
      const origin = URL.canParse(text) ? new URL(text).origin : "null";
      if (origin === "null" || text.replace(/\/$/, "") !== origin) {
        throw new ConfigError(`ALLOWED_ORIGINS: not an origin such as https://app.example.org: ${text}`);
      }
      return origin;
    });
}

/** Addresses and ranges, never "everybody": who may say where a request came from may be anybody. */
function readProxies(list: string): string[] {
  const proxies = list
    .split(",")
    .map((proxy) => proxy.trim())
    .filter(Boolean);
  for (const proxy of proxies) {
    const [host = "", bits, ...more] = proxy.split("/");
    const most = { 0: -1, 4: 32, 6: 128 }[isIP(host)] ?? -1;
    const isRange = bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most);
    if (most < 0 || !isRange || more.length > 0)
      throw new ConfigError(`TRUST_PROXY: not an address or a range such as 10.1.0.0/16: ${proxy}`);
  }
  return proxies;
}

function readPersonas(json: string | undefined): GatewayConfig["personas"] {
  if (!json) return null;
  try {
    return personasSchema.parse(JSON.parse(json));
  } catch (error) {
    throw new ConfigError(`DEMO_PERSONAS: not a list of personas in JSON (${(error as Error).message})`);
  }
}

function describeIssue(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const name = issue.path.join(".");
  return `${name}: ${name in given ? issue.message : "is not set"}`;
}

/** Private keys of the mnemonic that development chains publish, in lower case. */
function developmentKeys(): Set<string> {
  const phrase = "test test test test test test test test test test test junk";
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(phrase), "m/44'/60'/0'/0");
  return new Set(Array.from({ length: 20 }, (_, index) => root.deriveChild(index).privateKey.toLowerCase()));
}
