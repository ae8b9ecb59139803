/** Puts the gateway together, starts it, and takes it down. */
import { join } from "node:path";
import type { JsonRpcProvider } from "ethers";
import type { FastifyBaseLogger } from "fastify";
import { openDecisions } from "./access/decisions.ts";
import { Gate, problemOf } from "./access/gate.ts";
import { registerGranteeRoutes } from "./access/granteeRoutes.ts";
import { OpenExams } from "./access/openExams.ts";
import { registerWatchRoute } from "./access/watchRoute.ts";
import { ArchiveClient, basicAuthorization } from "./archive/client.ts";
import { startEmbeddedArchive } from "./archive/embedded/server.ts";
import { FrameCache } from "./archive/frameCache.ts";
import { MetadataCache } from "./archive/metadataCache.ts";
import { AccessLog } from "./audit/accessLog.ts";
import { Anchoring, type AnchoringContext } from "./audit/anchoring.ts";
import { Audit } from "./audit/audit.ts";
import { sealEarlier } from "./audit/earlier.ts";
import { AuditHead } from "./audit/head.ts";
import { registerReceiptRoutes } from "./audit/routes.ts";
import { Authenticator } from "./auth/authenticator.ts";
import { Nonces } from "./auth/nonces.ts";
import { Revocations } from "./auth/revocations.ts";
import { registerAuthRoutes } from "./auth/routes.ts";
import { signatureClient } from "./auth/signature.ts";
import { registerTokenRoutes } from "./auth/tokenRoutes.ts";
import { Tokens } from "./auth/tokens.ts";
import { connectChain } from "./chain/provider.ts";
import { Sender } from "./chain/sender.ts";
import { sharedTurns } from "./chain/turns.ts";
import { type GatewayConfig, refuseDevelopmentKeys } from "./config.ts";
import { bindDatabase, bindEmergencies } from "./database/binding.ts";
import { openDatabase } from "./database/database.ts";
import { Seal } from "./database/seal.ts";
import { keptSecret } from "./database/settings.ts";
import { registerDicomwebRoutes } from "./dicomweb/routes.ts";
import { registerDiscovery } from "./discovery.ts";
import { registerEmergencyRoutes } from "./emergency/routes.ts";
import { startAdminServer } from "./enrolment/adminServer.ts";
import type { DeliveryContext } from "./enrolment/delivery.ts";
import { Enrolment } from "./enrolment/enrolment.ts";
import { Operator } from "./enrolment/operator.ts";
import { OutboxWorker } from "./enrolment/outboxWorker.ts";
import { Pointers } from "./enrolment/pointers.ts";
import { Registrar } from "./enrolment/registrar.ts";
import { Retirements } from "./enrolment/retirements.ts";
import { Verification } from "./enrolment/verification.ts";
import { ArchiveWatcher } from "./enrolment/watcher.ts";
import { Erasure } from "./erasure/erasure.ts";
import { sweep } from "./erasure/sweep.ts";
import { WithheldStudies } from "./erasure/withheld.ts";
import { CustodianName } from "./exams/custodianName.ts";
import { ArchiveFacts } from "./exams/facts.ts";
import { registerManifestRoute } from "./exams/manifestRoute.ts";
import { registerExamRoutes } from "./exams/routes.ts";
import { registerFhirRoutes } from "./fhir/routes.ts";
import { TrustedProxies } from "./forwarded.ts";
import { openListener } from "./listener.ts";
import { registerHealthRoutes } from "./operations/health.ts";
import { Limits } from "./operations/limits.ts";
import { Metrics, serveMetrics } from "./operations/metrics.ts";
import { Problem } from "./problem.ts";
import { Prospects } from "./relay/prospects.ts";
import { Relay, type RelayContext } from "./relay/relay.ts";
import { RelayWorker, type WorkerContext } from "./relay/relayWorker.ts";
import { registerRelayRoutes } from "./relay/routes.ts";
import { Site } from "./site.ts";
import { createWebServer, serveApp } from "./webApp.ts";

/** A gateway that serves. */
export type RunningGateway = {
  /** The public URL. */
  url: string;
  adminUrl: string;
  adminToken: string;
  /** Files of the embedded archive that are not served, each with why. */
  unreadable: readonly { file: string; reason: string }[];
  close(): Promise<void>;
};

/** Milliseconds that a gateway takes at its start for what waits in the outbox; the rest comes while it serves. */
const OUTBOX_FIRST = 10_000;

/** What was started, to be taken down in the opposite order. */
type Closers = (() => Promise<unknown>)[];

/**
 * Start a gateway. What it needs is checked first; what was begun is ended where something fails.
 * @throws {ConfigError} when it cannot run as configured
 */
export async function startGateway(config: GatewayConfig): Promise<RunningGateway> {
  const closers: Closers = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await assemble(config, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(config: GatewayConfig, closers: Closers): Promise<Omit<RunningGateway, "close">> {
  const listener = await openListener(config.host, config.port);
  closers.push(() => listener.close());
  const site = new Site(config.publicUrl ?? listener.url, config.allowedOrigins);
  const metrics = new Metrics();
  const app = createWebServer({ ...config, site, listener, metrics });
  const limits = new Limits(config.limits);
  await limits.watch(app);
  const { provider, chainId, genesisHash } = await connectChain(config.rpcUrl);
  closers.push(async () => provider.destroy());
  refuseDevelopmentKeys(config, chainId);

  const { database, close: closeDatabase } = await openDatabase(config);
  closers.push(closeDatabase);
  const { consentLedger, custodian, emergencyAccess } = config;
  await sweep(database);
  await bindDatabase(database, { chainId, genesisHash, consentLedger, custodian });
  await bindEmergencies(database, emergencyAccess);
  const { archive, unreadable } = await openArchive(config, { metrics, log: app.log }, closers);

  const seal = new Seal(config.dataKey ?? (await keptSecret(database, "data-key")));
  const decisions = await openDecisions(config, { database, provider, seal, log: app.log });
  closers.push(() => decisions.close());
  const { chain, decider, directory, grantees, emergencies, erasing, queuedRevokes, judge } = decisions;
  const openExams = new OpenExams(judge, problemOf);
  chain.onRead((changes) => void openExams.sweep(changes));
  erasing.onClosed((closed) => void openExams.sweep(closed));
  queuedRevokes.onChange((changes) => void openExams.sweep(changes));

  const facts = new ArchiveFacts(archive);
  const frameCache = new FrameCache(config.frameCache);
  const metadataCache = new MetadataCache();
  const forget = () => {
    archive.forget();
    frameCache.clear();
    metadataCache.clear();
  };
  facts.onForget(forget);
  directory.onForget(forget);
  const operator = new Operator({ ...config, ledger: consentLedger, chainId });
  const inTurn = sharedTurns(database, "the operator's nonces");
  const sender = new Sender(provider, config.operatorKey, chainId, inTurn);
  const { custodianKey } = config;
  const pointers = new Pointers(provider, consentLedger, custodian);
  const retirements = new Retirements(pointers, custodianKey && new Sender(provider, custodianKey, chainId));
  await sealEarlier(database, operator, app.log);
  const about = { chainId, consentLedger, custodian };
  const auditHead = new AuditHead({ database, dataDir: config.dataDir, about, log: app.log });
  await auditHead.start();
  closers.push(() => auditHead.close());
  const audit = new Audit(database, operator);
  closers.push(() => audit.close());
  await startAnchoring(config, { database, sender, provider, log: app.log }, closers);
  const secret = config.sessionSecret ?? (await keptSecret(database, "session-secret"));
  const revocations = new Revocations(database, app.log);
  closers.push(() => revocations.close());
  revocations.onRevoked((revoked) => openExams.end(revoked));
  const tokens = new Tokens({ site, chainId, genesisHash, secret, revocations });
  const authenticator = new Authenticator(tokens, limits);
  const gate = new Gate({
    ...{ authenticator, revocations, judge, directory, facts, audit, metrics, openExams },
    ...{ database, custodian, chainId, grantees, emergencies },
  });
  const outbox = await startOutbox(config, { database, sender, pointers, directory }, app.log, closers);
  const withheld = await WithheldStudies.open(database, seal, config.dataKey !== null);
  const registrar = new Registrar({
    ...{ database, archive, pointers, retirements, outbox, directory, withheld },
    ...{ custodian, genesisHash },
  });
  await decisions.start();
  await revocations.start();

  const custodianName = new CustodianName(chain, config.custodianRegistry, custodian);
  app.addHook("onRequest", async (request, reply) => openExams.releaseWith(request, reply));
  registerDiscovery(app, { config, site, custodianName, chainId, genesisHash });
  const nonces = new Nonces(database, secret);
  const client = signatureClient(config.rpcUrl);
  const signIn = { database, client, nonces, revocations, site, chainId, tokens, authenticator, limits };
  registerAuthRoutes(app, signIn);
  registerTokenRoutes(app, signIn);
  const sending = { database, provider, chain, chainId, client, queuedRevokes, metrics, log: app.log };
  const relay = startRelay(config, sending, closers);
  registerRelayRoutes(app, { relay, gate, limits, chainId, consentLedger });
  registerHealthRoutes(app, { database, chain, archive });
  const lists = { database, directory, facts, custodianName, custodian, site, genesisHash, gate, grantees };
  registerExamRoutes(app, { ...lists, decider });
  registerGranteeRoutes(app, { gate, grantees, database });
  const breaking = { chain, sender, emergencies, emergencyAccess };
  registerEmergencyRoutes(app, { ...breaking, gate, decider, directory, database });
  registerReceiptRoutes(app, { database, directory, gate, decider, custodian, accessLog: config.accessLog });
  registerFhirRoutes(app, { ...lists, decider, chainId, consentLedger });
  registerManifestRoute(app, { gate, database, isWaiting: (examId) => outbox.isWaiting(examId) });
  const closing = new AbortController();
  registerWatchRoute(app, { gate, limits, closing: closing.signal });
  const proxies = new TrustedProxies(config.trustedProxies);
  registerDicomwebRoutes(app, {
    gate,
    archive,
    frameCache,
    metadataCache,
    urlFor: (request) => proxies.urlFor(request, site.url),
  });
  await serveApp(app, config.appDir);

  const enrolment = new Enrolment({ database, archive, operator, registrar, facts, chain, custodian });
  const { archivePoll: poll, studyStable: stable } = config;
  const seconds = { poll: poll * 1_000, stable: stable * 1_000 };
  const watcher = new ArchiveWatcher({ database, archive, registrar, facts, ...seconds }, app.log);
  watcher.start();
  closers.push(() => watcher.close());
  const verification = new Verification({ database, archive, pointers, outbox, facts });
  const { grantConfirmations: confirmations } = config;
  const erased = { facts, erasing, withheld, chainId, confirmations };
  const erasure = new Erasure({ ...erased, database, operator, pointers, retirements });
  const ledger = { custodian, chainId, consentLedger, accessLog: config.accessLog };
  const parts = {
    ...{ database, archive, enrolment, erasure, facts, outbox },
    ...{ verification, watcher, ledger, unreadable },
  };
  const admin = await startAdminServer({ ...config, ...parts, log: app.log });
  closers.push(() => admin.close());
  metrics.observe({
    headAge: () => chain.headAge,
    openExams: () => openExams.size,
    watchStreams: () => limits.streamCount,
  });
  if (config.metrics) {
    const metricsListener = await serveMetrics(metrics, config.metrics.host, config.metrics.port);
    closers.push(() => metricsListener.close());
  }
  closers.push(async () => {
    const goingDown = new Problem("archive-unavailable", "The gateway is going down.");
    // Streams without an end are ended; what has one gets a moment to reach it.
    closing.abort(goingDown);
    await listener.close(() => openExams.closeAll(goingDown));
    await app.close();
  });
  await app.ready();
  return { url: site.url, unreadable, adminUrl: admin.url, adminToken: admin.token };
}

/** Anchor receipts from now on, where there is something to anchor them in. */
async function startAnchoring(
  { accessLog: address, custodian, anchorInterval: interval }: GatewayConfig,
  {
    provider,
    ...context
  }: Pick<AnchoringContext, "database" | "sender" | "log"> & { provider: JsonRpcProvider },
  closers: Closers,
): Promise<void> {
  if (address === null) return;
  const accessLog = new AccessLog(provider, address, custodian);
  const anchoring = new Anchoring({ ...context, accessLog, interval });
  closers.push(() => anchoring.close());
  await anchoring.start();
}

/** The relay at work; null where there is no key to send with. */
function startRelay(
  { relayKey, relayLimits: limits, consentLedger: ledger, headPoll: pace, resendAfter }: GatewayConfig,
  parts: Omit<RelayContext, "prospects" | "worker" | "ledger" | "limits"> &
    Pick<WorkerContext, "provider" | "metrics" | "chain"> & { chainId: number },
  closers: Closers,
): Relay | null {
  if (relayKey === null) return null;
  const key = new Sender(parts.provider, relayKey, parts.chainId);
  const prospects = new Prospects(parts.provider, ledger, key.address);
  const worker = new RelayWorker({
    ...parts,
    key,
    prospects,
    ledger,
    pace,
    resendAfter: resendAfter * 1_000,
  });
  worker.start();
  closers.push(() => worker.close());
  return new Relay({ ...parts, prospects, worker, ledger, limits });
}

/** The archive as configured; an embedded one is started first. */
async function openArchive(
  { archive, dataDir }: GatewayConfig,
  { metrics, log }: { metrics: Metrics; log: FastifyBaseLogger },
  closers: Closers,
) {
  const onFailure = () => metrics.archiveError();
  if (archive.kind === "dicomweb") {
    const { url, username, password } = archive;
    const authorization = username === null ? undefined : basicAuthorization(username, password ?? "");
    const client = new ArchiveClient({ url, onFailure, ...(authorization && { authorization }) });
    closers.push(() => client.close());
    await client
      .health()
      .catch((error) => log.warn({ reason: error.reason }, "The archive does not answer yet"));
    return { archive: client, unreadable: [] };
  }
  const store = join(dataDir, "store");
  const embedded = await startEmbeddedArchive({ folders: archive.folders, store });
  closers.push(() => embedded.close());
  const { url, authorization } = embedded;
  const client = new ArchiveClient({ url, authorization, onFailure, isOwn: true });
  closers.push(() => client.close());
  return { archive: client, unreadable: embedded.unreadable };
}

/** The outbox at work. What a local chain that was begun anew lacks is there when this resolves, if that goes quickly. */
async function startOutbox(
  { grantConfirmations: confirmations, headPoll: pace, resendAfter }: GatewayConfig,
  parts: Pick<DeliveryContext, "database" | "sender" | "pointers" | "directory">,
  log: FastifyBaseLogger,
  closers: Closers,
): Promise<OutboxWorker> {
  const outbox = new OutboxWorker({ ...parts, confirmations, pace, resendAfter: resendAfter * 1_000 }, log);
  await outbox.start();
  closers.push(() => outbox.close());
  await outbox.worked(OUTBOX_FIRST);
  return outbox;
}
