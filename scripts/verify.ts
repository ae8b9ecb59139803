/** `npm run verify`: reads every exam in the archive anew, and names what is not as it was registered. */
import { type Finding, type VerifyStep, verifyStepSchema } from "../protocol/adminApi.ts";
import { confirm, count, Desk, runScript } from "./desk.ts";
import { day, describeOutcome } from "./outcome.ts";
import { readArguments, UsageError } from "./usage.ts";

const HELP = `npm run verify -- [options]     check the archive of a running gateway against what was registered

  --exam ID     one exam alone, by its id (0x…)
  --accept      … and take what the archive has of it now for right: it is amended on the ledger
    --yes         … without asking
  --data DIR    where the gateway keeps its data (.examkey)
  --help        this text

Every frame is read anew and compared with its digest, and the digests with the exam's root on the ledger. It ends with
code 1 where anything is changed, missing or new. It may be done while people work.`;

/** What was found, in a line. */
function describeFinding({ what, seriesInstanceUid, sopInstanceUid, frame, why }: Finding): string {
  if (sopInstanceUid === null) return `the exam: ${why}`;
  const where = `instance ${sopInstanceUid} (series ${seriesInstanceUid})`;
  const subject = frame === null ? where : `frame ${frame} of ${where}`;
  if (what === "changed") return `${subject} has changed since it was registered`;
  if (what === "missing") return `${subject} is missing from the archive`;
  if (what === "new") return `${subject} is new in the archive, and not registered yet`;
  return `${subject} cannot be read: ${why}`;
}

function showProgress({ exam, exams, frames }: Extract<VerifyStep, { event: "reading" }>): void {
  if (process.stdout.isTTY)
    process.stdout.write(`\r  exam ${exam} of ${exams}, ${count(frames, "frame")} read `);
}

function showVerified(step: Extract<VerifyStep, { event: "verified" }>): void {
  if (process.stdout.isTTY) process.stdout.write("\r");
  const { description, studyDate, studyInstanceUid, examId, findings } = step;
  const name = `${day(studyDate)} ${description ?? "(no description)"}`;
  if (findings.length === 0) {
    console.log(`  as registered: ${name}`);
    return;
  }
  console.log(`  NOT as registered: ${name}\n    study ${studyInstanceUid}, exam ${examId}`);
  for (const finding of findings) console.log(`    ${describeFinding(finding)}`);
}

async function verify(desk: Desk, examId: string | undefined): Promise<number> {
  for await (const line of desk.lines("/exams/verify", examId === undefined ? {} : { examId })) {
    const step = verifyStepSchema.parse(line);
    if (step.event === "reading") showProgress(step);
    if (step.event === "verified") showVerified(step);
    if (step.event !== "done") continue;
    const read = `${count(step.exams, "exam")}, ${count(step.frames, "frame")} read`;
    console.log(
      step.findings === 0 ? `${read}: all as registered.` : `${read}: ${count(step.findings, "finding")}.`,
    );
    return step.findings === 0 ? 0 : 1;
  }
  return 1;
}

async function accept(desk: Desk, examId: string, isSure: boolean): Promise<number> {
  if ((await verify(desk, examId)) === 0) return 0;
  if (!isSure && !(await confirm("Is what the archive has now right?"))) {
    console.log("Nothing was done.");
    return 1;
  }
  for await (const line of desk.follow("/exams/accept", { examId })) {
    if (line.event === "exam") console.log(`  ${describeOutcome(line)}`);
  }
  return 0;
}

await runScript(async () => {
  const flag = { type: "boolean", default: false } as const;
  const { values } = readArguments({
    options: {
      exam: { type: "string" },
      accept: flag,
      yes: flag,
      data: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { exam, data } = values;
  if (exam !== undefined && !/^0x[0-9a-f]{64}$/i.test(exam))
    throw new UsageError(`--exam: "${exam}" is not an exam's id: 0x and 64 digits.`);
  if (!values.accept) return verify(Desk.find(data), exam?.toLowerCase());
  if (exam === undefined) throw new UsageError("--accept takes one exam: name it with --exam.");
  return accept(Desk.find(data), exam.toLowerCase(), values.yes);
});
