/**
 * The gateway's JSON, as schemas: what the gateway promises and what the app checks at its edge.
 * Times are whole seconds since 1970-01-01 UTC, as on the chain. Dates are DICOM DA (`YYYYMMDD`).
 */
import { z } from "zod";
import { EMERGENCY_REASONS } from "./reasons.ts";
import { ACTIONS, PURPOSES } from "./terms.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const word = z.string().regex(/^0x[0-9a-f]{64}$/);
const uid = z.string().max(64);
const seconds = z.int().nonnegative();

/** `GET /.well-known/examkey`: where this gateway stands and what it speaks for. No token needed. */
export const discoverySchema = z.object({
  name: z.string(),
  version: z.string(),
  chainId: z.int().positive(),
  genesisHash: word,
  contracts: z.object({
    consentLedger: address,
    custodianRegistry: address,
    /** Where receipts are anchored; null where they are not. */
    accessLog: address.nullable().default(null),
    /** Where emergencies are opened; null where this gateway honours none. */
    emergencyAccess: address.nullable().default(null),
  }),
  custodian: address,
  /** Absolute URL of the DICOMweb root, without a trailing slash. */
  dicomwebRoot: z.url(),
  /** An RPC endpoint that browsers may use, to read the chain and to offer it to a wallet. */
  rpcUrl: z.url(),
  chainName: z.string(),
  /** Whether the gateway sends its patients' signed acts (`POST /relay`). */
  relay: z.boolean().default(false),
  /** Present only in the local demo: who may be tried out, by index of the development mnemonic's accounts. */
  personas: z
    .array(
      z.object({
        address,
        name: z.string(),
        role: z.string(),
        kind: z.enum(["patient", "practitioner"]),
        accountIndex: z.int().nonnegative(),
        /** What a practitioner signs emergencies with. */
        badge: z.object({ address, accountIndex: z.int().nonnegative() }).optional(),
      }),
    )
    .optional(),
});

/** `POST /auth/nonce` */
export const nonceSchema = z.object({ nonce: z.string().min(16) });

/** `POST /auth/token`, body: an EIP-4361 message and its signature (65-byte, ERC-1271 or ERC-6492). */
export const tokenRequestSchema = z.object({
  message: z.string().max(4096),
  signature: z.string().regex(/^0x([0-9a-fA-F]{2})+$/),
});

/** `POST /auth/token` and `POST /auth/renew` (RFC 6749, 5.1). */
export const tokenSchema = z.object({
  access_token: z.string(),
  token_type: z.literal("Bearer"),
  expires_in: z.int().positive(),
});

/** `POST /auth/revoke` (RFC 7009, 2.1) and `POST /auth/introspect` (RFC 7662, 2.1), body: a form. */
export const tokenParameterSchema = z.object({ token: z.string().min(1).max(4096) });

/** `POST /auth/introspect` (RFC 7662, 2.2): of what is not the caller's own, or in force no more, `active: false` and nothing else. */
export const introspectionSchema = z.union([
  z.object({ active: z.literal(false) }),
  z.object({
    active: z.literal(true),
    iss: z.url(),
    sub: address,
    exp: seconds,
    jti: z.string(),
    purpose: z.enum(PURPOSES),
    /** The one exam of a viewer token; null for a session's own. */
    exam_id: word.nullable(),
  }),
]);

/** `POST /auth/viewer-token`, body: the one exam that the token is to open. */
export const viewerTokenRequestSchema = z.object({ examId: word });

/** A series within an exam, with what a grant for it alone needs. */
export const examSeriesSchema = z.object({
  seriesInstanceUid: uid,
  /** The resource that a grant for this series names. */
  seriesResource: word,
  /** `seriesResource` recomputes from the exam's id and this: the app checks it before anybody signs. */
  seriesCommitment: word,
  modality: z.string(),
  description: z.string(),
  /** Frames of all its instances; an instance without pixels, such as a report, has none. */
  numberOfImages: z.int().nonnegative(),
});

/** One exam in plain words. */
export const examSchema = z.object({
  examId: word,
  /** A guardian is told what an exam is, to act for its patient: no birth date, no picture, and nothing is open to them. */
  relation: z.enum(["owner", "grantee", "guardian"]),
  custodian: z.object({ address, name: z.string() }),
  /** The name in reading order, as it is said ("Dr Jane Doe"); never empty. */
  patient: z.object({ address, name: z.string(), birthDate: z.string().nullable() }),
  /** `examId` recomputes from custodian, patient and this: the app checks it before anybody signs. */
  commitment: word,
  studyInstanceUid: uid,
  modalities: z.array(z.string()),
  bodyPart: z.string().nullable(),
  studyDate: z.string().nullable(),
  description: z.string().nullable(),
  /** The sum over `series`: frames, not instances. */
  numberOfImages: z.int().nonnegative(),
  series: z.array(examSeriesSchema),
  /** Absolute URL of a rendered picture (needs the token), or null where the exam has no picture. */
  picture: z.url().nullable(),
  /** What the caller's decision rests on; null for the owner, and for a guardian. */
  access: z
    .object({
      notAfter: seconds,
      actions: z.array(z.enum(ACTIONS)),
      purposes: z.array(z.enum(PURPOSES)),
      /** Whether it rests on an emergency. */
      emergency: z.boolean().default(false),
    })
    .nullable(),
});

/** `GET /exams`: what the caller owns or may see now; `?for=0x…`, for a guardian: what that patient owns. */
export const examsSchema = z.object({
  exams: z.array(examSchema),
  /** True when a local chain was begun anew since the caller's exams were first registered: its grants are gone. */
  grantsForgotten: z.boolean(),
});

/** One grant of the caller's, latest state of its slot. */
export const grantSchema = z.object({
  resource: word,
  /** A series, an exam, all exams at this custodian, or all exams anywhere; later ones too. */
  covers: z.enum(["series", "exam", "custodian", "all"]),
  /** Null for what is wider than an exam. */
  examId: word.nullable(),
  seriesInstanceUid: uid.nullable(),
  /** Narrower resources that the patient revoked for this grantee: no wider grant opens them. */
  exceptions: z.array(word),
  grantee: z.object({
    /** As the ledger keeps it: what a revoke must name. */
    word,
    /** Null for a blinded grantee whose address nobody has told this gateway. */
    address: address.nullable(),
    /** `name` and `role` are null for whoever is not enrolled here. */
    name: z.string().nullable(),
    role: z.string().nullable(),
  }),
  period: z.object({ notBefore: seconds, notAfter: seconds }),
  purposes: z.array(z.enum(PURPOSES)),
  actions: z.array(z.enum(ACTIONS)),
  grantedAt: seconds,
  state: z.enum(["active", "scheduled", "expired", "revoked"]),
});

/**
 * `GET /grants`: who can see what of the caller's exams, ended grants included, newest first; `?for=0x…`, for a guardian:
 * of that patient's.
 */
export const grantsSchema = z.object({ grants: z.array(grantSchema) });

/**
 * `POST /grantees`, body: whose a blinded grantee is, told by the patient or by the reader. `grantee` must recompute from
 * reader and salt. The answer is `grantee` alone.
 */
export const granteeRequestSchema = z.object({
  patient: address,
  reader: address,
  salt: word,
  grantee: word,
});

const emergencyReason = z.enum(EMERGENCY_REASONS).exclude(["none"]);
const signature = z.string().regex(/^0x([0-9a-fA-F]{2}){1,2048}$/);

/**
 * `POST /emergencies`, body: what a practitioner signed with their badge (typedData.ts, `Emergency`). The reader is whoever
 * sends it, blinded with this salt, which is used this once. The answer is 201 and the emergency as `emergencySchema`.
 */
export const emergencyRequestSchema = z.object({
  examId: word,
  salt: word,
  reason: emergencyReason,
  /** The first second at which it is over: within four hours. */
  until: seconds,
  /** How many emergencies the exam has had (`EmergencyAccess.historyOf`). */
  count: seconds,
  signature,
  /** Needed where the exam was opened within the last day. */
  second: z.object({ badge: address, signature }).nullable().default(null),
});

const practitioner = z.object({ name: z.string().nullable(), role: z.string().nullable() });

/** One emergency, as the ledger's chain has it. */
export const emergencySchema = z.object({
  examId: word,
  /** Who reads; nulls where this gateway was not told. */
  reader: practitioner.extend({ address: address.nullable() }),
  /** Who signed besides; null where one signature was enough. */
  second: practitioner.nullable(),
  reason: emergencyReason,
  openedAt: seconds,
  /** The first second at which it is over, or was. */
  until: seconds,
  state: z.enum(["open", "over"]),
});

/**
 * `GET /emergencies`, newest first: to a patient, all on exams of theirs; to a practitioner, their own. `?for=0x…`, for a
 * guardian: on that patient's.
 */
export const emergenciesSchema = z.object({ emergencies: z.array(emergencySchema) });

/** `GET /people`: practitioners enrolled here, to pick a grantee from; `?for=0x…` for a guardian who is not known here. */
export const peopleSchema = z.object({
  people: z.array(z.object({ address, name: z.string(), role: z.string() })),
});

/** `GET /me`: how the custodian knows the caller. */
export const meSchema = z.object({
  address,
  name: z.string().nullable(),
  role: z.string().nullable(),
  isPatient: z.boolean(),
  isPractitioner: z.boolean(),
  /** The address that the caller signs emergencies with; null where the custodian has told this gateway of none. */
  badge: address.nullable().default(null),
});

const finding = z.string();

/** `GET /readyz`: `ok` or the reason, for each part that the gateway rests on. */
export const readinessSchema = z.object({
  status: z.enum(["ready", "not-ready"]),
  checks: z.object({ database: finding, chain: finding, archive: finding }),
});

/**
 * `GET /exams/:examId/manifest`: what the caller needs to check what was delivered against the root that the ledger has
 * (manifestCheck.ts). It holds the salts of the leaves that it lists, and no other: none leads to the exam's salt, to the
 * exam's or a series' commitment, or to a frame that is not listed.
 */
export const manifestSchema = z.object({
  examId: word,
  /** The root that these leaves lead to. The one to check against is the ledger's own (`ConsentLedger.pointerOf`). */
  manifestRoot: word,
  /** True while the ledger has yet to be brought to it: series came late a moment ago. */
  isPending: z.boolean(),
  /** `exam`: every leaf is listed, and the root recomputes from them. `series`: those of the series open to the caller. */
  covers: z.enum(["exam", "series"]),
  frames: z.array(
    z.object({
      seriesInstanceUid: uid,
      sopInstanceUid: uid,
      /** From 1, as in DICOMweb; 0 stands for an instance without pixels. */
      frame: z.int().nonnegative(),
      /** SHA-256 of the frame's bytes as they are stored (`transfer-syntax=*`). */
      digest: word,
      salt: word,
      /** From the leaf to the root; null with `exam`, where nothing has to be proved one by one. */
      proof: z.array(word).nullable(),
    }),
  ),
});

/** A problem document (RFC 9457); `reason` is one of the codes in `reasons.ts`. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  reason: z.string(),
});

export type Discovery = z.infer<typeof discoverySchema>;
export type Persona = NonNullable<Discovery["personas"]>[number];
export type Exam = z.infer<typeof examSchema>;
export type ExamSeries = z.infer<typeof examSeriesSchema>;
export type Readiness = z.infer<typeof readinessSchema>;
export type Introspection = z.infer<typeof introspectionSchema>;
export type Grant = z.infer<typeof grantSchema>;
export type Person = z.infer<typeof peopleSchema>["people"][number];
export type EmergencyRequest = z.infer<typeof emergencyRequestSchema>;
export type Emergency = z.infer<typeof emergencySchema>;
export type Manifest = z.infer<typeof manifestSchema>;
export type Problem = z.infer<typeof problemSchema>;
