import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A patient whom the archive knows. */
export interface ArchivePatient {
  patientId: string;
  /** Empty where the archive names none. */
  issuer: string;
  names: string[];
  studies: Study[];
  /** The address that the patient id is enrolled to already. */
  enrolledTo: string | null;
}

interface Study {
  studyInstanceUid: string;
  description: string | null;
  modalities: string[];
}

interface Candidates {
  patients: ArchivePatient[];
  /** Studies that name no patient: they cannot be enrolled. */
  withoutPatientId: Study[];
}

/** What became of one patient's exams. */
export interface Enrolled {
  exams: number;
  failures: string[];
}

type Progress =
  | { event: "patient"; exams: number }
  | { event: "exam"; outcome: string; description: string | null; why?: string; bad?: { why: string }[] }
  | { event: "problem"; problem: { detail: string } }
  | { event: "done" };

/** A number of exams in words. */
export function countOf(exams: number): string {
  return `${exams} exam${exams === 1 ? "" : "s"}`;
}

/** There is nothing to show: what was found, and the way out. */
export class NothingToServe extends Error {
  override readonly name = "NothingToServe";
}

/** The gateway's admin API, as `admin.json` in its data folder opens it. */
export class EnrolmentDesk {
  readonly #url: string;
  readonly #token: string;

  constructor(dataDir: string) {
    const { url, token } = JSON.parse(readFileSync(join(dataDir, "admin.json"), "utf8"));
    this.#url = url;
    this.#token = token;
  }

  async candidates(): Promise<Candidates> {
    return (await this.#ask("/patients/candidates")).json() as Promise<Candidates>;
  }

  async enrolPractitioner(person: { address: string; name: string; role: string }): Promise<void> {
    await this.#ask("/practitioners", person);
  }

  /** Ties a patient id to an address, whomever it was tied to before, and registers its exams. */
  async enrolPatient({ patientId, issuer }: ArchivePatient, address: string): Promise<Enrolled> {
    const answer = await this.#ask("/patients", { patientId, issuer, address, replace: true });
    const enrolled: Enrolled = { exams: 0, failures: [] };
    for (const line of (await answer.text()).trim().split("\n")) {
      const progress = JSON.parse(line) as Progress;
      if (progress.event === "problem") enrolled.failures.push(progress.problem.detail);
      if (progress.event !== "exam") continue;
      if (progress.outcome === "failed")
        enrolled.failures.push(`${progress.description ?? "exam"}: ${progress.why}`);
      else enrolled.exams += 1;
    }
    return enrolled;
  }

  async #ask(path: string, body?: object): Promise<Response> {
    const answer = await fetch(`${this.#url}${path}`, {
      method: body ? "POST" : "GET",
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.ok) return answer;
    const { detail } = (await answer.json()) as { detail: string };
    throw new Error(detail);
  }
}
