/**
 * The admin API's JSON, as schemas: what a gateway tells the scripts that enrol and import, on its own machine.
 * Dates are DICOM DA as the archive holds them.
 */
import { z } from "zod";
import { problemSchema } from "./api.ts";

/** `admin.json` in the gateway's data folder: where its admin API listens, and what opens it. */
export const adminKeySchema = z.object({ url: z.url(), token: z.string() });

/** A study, as the archive lists it. */
const archivedStudySchema = z.object({
  studyInstanceUid: z.string(),
  studyDate: z.string().nullable(),
  description: z.string().nullable(),
  modalities: z.array(z.string()),
  numberOfInstances: z.number().nullable(),
});

/** `POST /patients/preview`: what the archive holds under one patient id. */
export const archivedPatientSchema = z.object({
  patientId: z.string(),
  /** Empty where the archive names none. */
  issuer: z.string(),
  names: z.array(z.string()),
  birthDates: z.array(z.string()),
  studies: z.array(archivedStudySchema),
  /** The address that the id is enrolled to; null for none. */
  enrolledTo: z.string().nullable(),
});

/** `GET /patients/candidates`: everybody in the archive, and what nobody can be enrolled for. */
export const candidatesSchema = z.object({
  patients: z.array(archivedPatientSchema),
  withoutPatientId: z.array(archivedStudySchema),
  /** Files of the embedded archive that are not served, each with why. */
  unreadable: z.array(z.object({ file: z.string(), reason: z.string() })).readonly(),
});

/** `POST /instances`: what became of a DICOM file. */
export const storedSchema = z.object({
  stored: z.array(z.object({ sopInstanceUid: z.string() })),
  failed: z.array(z.object({ reason: z.string() })),
});

/** `GET /outbox`: what the ledger has yet to be brought to. */
export const outboxSchema = z.object({
  /** Why nothing is sent at the moment; null where nothing hinders. */
  fault: z.string().nullable(),
  waiting: z.array(
    z.object({
      examId: z.string(),
      act: z.enum(["register", "amend"]),
      /** Null also where the archive does not answer. */
      description: z.string().nullable(),
      studyDate: z.string().nullable(),
      /** Milliseconds since 1970-01-01 UTC; `sentAt` is null where no node has taken the transaction yet. */
      since: z.number(),
      sentAt: z.number().nullable(),
      /** What went wrong last; null where nothing did. */
      why: z.string().nullable(),
    }),
  ),
});

const exam = {
  event: z.literal("exam"),
  description: z.string().nullable(),
  studyDate: z.string().nullable(),
};

/** What became of one exam. `bad` are instances that its manifest had to leave out. */
const outcomeSchema = z.union([
  z.object({
    ...exam,
    outcome: z.enum(["registered", "amended", "unchanged"]),
    examId: z.string(),
    bad: z.array(z.object({ sopInstanceUid: z.string(), why: z.string() })),
  }),
  z.object({ ...exam, outcome: z.literal("failed"), why: z.string() }),
]);

/** One line of what `POST /patients`, `POST /exams/refresh` and `POST /exams/accept` answer with (NDJSON). */
export const progressSchema = z.union([
  z.object({
    event: z.literal("patient"),
    patientId: z.string(),
    issuer: z.string(),
    address: z.string(),
    exams: z.number(),
  }),
  outcomeSchema,
  z.object({
    event: z.literal("done"),
    registered: z.number(),
    amended: z.number(),
    unchanged: z.number(),
    failed: z.number(),
  }),
]);

/** `GET /audit`: whose log this is, and where it is anchored, by the gateway's word. */
export const auditSchema = z.object({
  custodian: z.string(),
  chainId: z.int(),
  consentLedger: z.string(),
  /** Null where receipts are not anchored. */
  accessLog: z.string().nullable(),
  /** The number of the last receipt. */
  last: z.int(),
});

/**
 * `GET /audit/receipts?after=`: the receipts after a number, in order; none at the end. Each should be a `loggedReceiptSchema`,
 * which one that was tampered with may not be.
 */
export const auditPageSchema = z.object({ receipts: z.array(z.looseObject({ sequence: z.number() })) });

/** `GET /audit/keys?after=`: the ids of envelopes' keys that there are, in order, after one; none at the end. */
export const auditKeysSchema = z.object({ keyIds: z.array(z.string()) });

/** What is not as it was registered. Null names: the exam as a whole, or an instance as a whole. */
const findingSchema = z.object({
  what: z.enum(["changed", "missing", "new", "unreadable", "ledger"]),
  seriesInstanceUid: z.string().nullable(),
  sopInstanceUid: z.string().nullable(),
  /** From 1. */
  frame: z.number().nullable(),
  /** In words, for a person; null where `what` says all. */
  why: z.string().nullable(),
});

/** One line of what `POST /exams/verify` answers with (NDJSON). */
export const verifyStepSchema = z.union([
  /** A frame was read: how many so far, and in which of the exams. */
  z.object({ event: z.literal("reading"), exam: z.number(), exams: z.number(), frames: z.number() }),
  z.object({
    event: z.literal("verified"),
    examId: z.string(),
    studyInstanceUid: z.string(),
    description: z.string().nullable(),
    studyDate: z.string().nullable(),
    findings: z.array(findingSchema),
  }),
  z.object({ event: z.literal("done"), exams: z.number(), frames: z.number(), findings: z.number() }),
]);

/** `POST /erasures/preview`: what an erasure would be about. What the archive does not have any more is null. */
export const erasableSchema = z.object({
  studies: z.array(
    z.object({
      studyInstanceUid: z.string(),
      patientId: z.string().nullable(),
      patientName: z.string().nullable(),
      studyDate: z.string().nullable(),
      description: z.string().nullable(),
      isInArchive: z.boolean(),
      /** Whether the gateway would find it in the archive, and register it again. */
      isFoundAgain: z.boolean(),
      /** Every pointer that the study ever had here. */
      exams: z.array(
        z.object({
          examId: z.string(),
          state: z.enum(["pending", "registered", "retired", "erasing"]),
          owner: z.string(),
          receipts: z.number(),
          grants: z.number(),
        }),
      ),
    }),
  ),
  /** The enrolments that go too, where a patient leaves. */
  leaving: z.array(z.object({ patientId: z.string(), issuer: z.string(), address: z.string() })),
});

/** One line of what `POST /erasures` answers with (NDJSON). */
export const erasureStepSchema = z.union([
  z.object({ event: z.literal("closed"), exams: z.number() }),
  /** Again and again until the ledger says it for good. A transaction is the custodian's to send; null where it was mined. */
  z.object({
    event: z.literal("waiting"),
    examId: z.string(),
    transaction: z.object({ from: z.string(), to: z.string(), data: z.string() }).nullable(),
  }),
  z.object({ event: z.literal("retired"), examId: z.string() }),
  z.object({ event: z.literal("destroyed") }),
  /** `isLogCut`: whether the database's write-ahead log was cut off, too. */
  z.object({ event: z.literal("swept"), isLogCut: z.boolean() }),
]);

/** `GET /erasures`: exams whose erasure was begun and is not whole. */
export const erasuresSchema = z.object({ underWay: z.array(z.string()) });

/** The last line of a long answer, where something failed after the first. */
export const problemLineSchema = z.object({ event: z.literal("problem"), problem: problemSchema });

export type Erasable = z.infer<typeof erasableSchema>;
export type ErasureStep = z.infer<typeof erasureStepSchema>;
export type Finding = z.infer<typeof findingSchema>;
export type VerifyStep = z.infer<typeof verifyStepSchema>;
export type ArchivedStudy = z.infer<typeof archivedStudySchema>;
export type ArchivedPatient = z.infer<typeof archivedPatientSchema>;
export type AuditAbout = z.infer<typeof auditSchema>;
export type Candidates = z.infer<typeof candidatesSchema>;
export type Outbox = z.infer<typeof outboxSchema>;
export type ExamOutcome = z.infer<typeof outcomeSchema>;
export type Progress = z.infer<typeof progressSchema>;
