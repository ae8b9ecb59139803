/** `npm run enrol`: ties a patient id to an address and registers its exams, or enrols a practitioner. */
import { getAddress } from "ethers";
import {
  type ArchivedPatient,
  type ArchivedStudy,
  archivedPatientSchema,
  candidatesSchema,
  type Outbox,
  outboxSchema,
} from "../protocol/adminApi.ts";
import { confirm, count, Desk, readAddress, runScript } from "./desk.ts";
import { day, describeOutcome } from "./outcome.ts";
import { readArguments, UsageError } from "./usage.ts";

const HELP = `npm run enrol -- [options]     enrol somebody at a running gateway

  --list                   the patients that the archive knows, and whom they are enrolled to; and exams that are
                           not on the ledger yet, each with why
  --patient ID             the patient id (0010,0020) whose exams are to be registered …
    --issuer TEXT            … as this issuer gave it, where several did
    --address 0x…            … for the patient's wallet
    --replace                … also where another address is enrolled: its exams are retired, its grants end
    --yes                    … without asking whether it is the right patient
  --practitioner 0x…       a wallet that patients may pick as a grantee
    --name TEXT              … under this name
    --role TEXT              … and role
    --badge 0x…              … with the badge that they sign emergencies with
  --data DIR               where the gateway keeps its data (.examkey)
  --help                   this text

It may be done again, and while people work. An exam that cannot be registered is named; the others go on.`;

function describeStudy({ studyDate, modalities, description, numberOfInstances }: ArchivedStudy): string {
  const instances = numberOfInstances === null ? "" : `, ${count(numberOfInstances, "instance")}`;
  return `${day(studyDate)}  ${modalities.join("+") || "?"}  ${description ?? "(no description)"}${instances}`;
}

function describePatient({ patientId, issuer, names, birthDates, studies }: ArchivedPatient): string {
  const born = birthDates.map(day).join(" or ") || "unknown";
  const id = issuer ? `${patientId} (issued by ${issuer})` : patientId;
  return `${id}: ${names.join(" or ") || "no name"}, born ${born}, ${count(studies.length, "exam")}`;
}

async function list(desk: Desk): Promise<number> {
  const { patients, withoutPatientId, unreadable } = candidatesSchema.parse(
    await desk.ask("/patients/candidates"),
  );
  for (const patient of patients) {
    const enrolled = patient.enrolledTo ? `, enrolled to ${getAddress(patient.enrolledTo)}` : "";
    console.log(`${describePatient(patient)}${enrolled}`);
  }
  if (withoutPatientId.length > 0) {
    console.log(
      `\n${count(withoutPatientId.length, "exam")} without a patient id, which nobody can be enrolled for:`,
    );
    for (const study of withoutPatientId) console.log(`  ${describeStudy(study)}`);
  }
  for (const { file, reason } of unreadable) console.log(`not served: ${file}: ${reason}`);
  listWaiting(outboxSchema.parse(await desk.ask("/outbox")));
  return 0;
}

function listWaiting({ fault, waiting }: Outbox): void {
  if (waiting.length === 0) return;
  console.log(`\n${count(waiting.length, "exam")} waiting for the ledger, oldest first:`);
  for (const { act, description, studyDate, since, sentAt, why } of waiting) {
    const what = `${day(studyDate)}  ${description ?? "(no description)"}`;
    const sent = sentAt === null ? "not sent yet" : `sent ${moment(sentAt)}, not mined yet`;
    console.log(`  to ${act} since ${moment(since)}: ${what}: ${why ?? fault ?? sent}`);
  }
}

/** Milliseconds since 1970-01-01 UTC as people read a time. */
function moment(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

interface PractitionerOptions {
  name?: string | undefined;
  role?: string | undefined;
  badge?: string | undefined;
}

async function enrolPractitioner(
  desk: Desk,
  address: string,
  { name, role, badge: typed }: PractitionerOptions,
): Promise<number> {
  if (!name || !role)
    throw new UsageError("A practitioner needs --name and --role: patients choose by them.");
  const badge = typed === undefined ? undefined : readAddress("badge", typed);
  await desk.ask("/practitioners", { address, name, role, badge });
  console.log(`${name} (${role}) is enrolled as ${address}${badge ? `, with the badge ${badge}` : ""}.`);
  return 0;
}

type PatientOptions = { patientId: string; issuer?: string; address: string; replace: boolean; yes: boolean };

async function enrolPatient(desk: Desk, { yes, ...request }: PatientOptions): Promise<number> {
  const found = archivedPatientSchema.parse(await desk.ask("/patients/preview", request));
  console.log(describePatient(found));
  for (const study of found.studies) console.log(`  ${describeStudy(study)}`);
  if (!yes && !(await confirm(`Is this the patient who owns ${request.address}?`))) {
    console.log("Nothing was done.");
    return 1;
  }
  let failed = 0;
  for await (const line of desk.follow("/patients", { ...request, issuer: found.issuer })) {
    if (line.event === "exam") console.log(`  ${describeOutcome(line)}`);
    if (line.event === "done") failed = line.failed;
  }
  console.log(
    failed === 0 ? `Enrolled to ${request.address}.` : `${count(failed, "exam")} could not be registered.`,
  );
  return failed === 0 ? 0 : 1;
}

await runScript(async () => {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = readArguments({
    options: {
      list: flag,
      patient: text,
      issuer: text,
      address: text,
      replace: flag,
      yes: flag,
      practitioner: text,
      name: text,
      role: text,
      badge: text,
      data: text,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { patient: patientId, practitioner, issuer, replace, yes } = values;
  if ([values.list, patientId !== undefined, practitioner !== undefined].filter(Boolean).length !== 1) {
    throw new UsageError("Give one of --list, --patient and --practitioner. `--help` lists the options.");
  }
  if (practitioner !== undefined) {
    const wallet = readAddress("practitioner", practitioner);
    return enrolPractitioner(Desk.find(values.data), wallet, values);
  }
  if (patientId === undefined) return list(Desk.find(values.data));
  const address = readAddress("address", values.address);
  const request = { patientId, address, replace, yes, ...(issuer !== undefined && { issuer }) };
  return enrolPatient(Desk.find(values.data), request);
});
