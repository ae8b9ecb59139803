import type { Emergency } from "../../../protocol/api.ts";
import { emergenciesSchema } from "../../../protocol/api.ts";
import type { Gateway } from "../../api/index.ts";
import { Notice } from "../../design/index.ts";
import { emergencyInWords, shortMoment, untilInWords } from "../../words/index.ts";
import { useAnswers } from "../gateways/index.ts";
import s from "./Emergency.module.css";

/** Milliseconds between two looks: the patient is shown an emergency while it lasts. */
const REFRESH_MS = 6_000;

interface EmergenciesOnProps {
  examId: string;
  gateway: Gateway;
}

/** To the patient: who has opened an exam of theirs in an emergency, while it lasts and afterwards. */
export function EmergenciesOn({ examId, gateway }: EmergenciesOnProps) {
  const answers = useAnswers("/emergencies", emergenciesSchema, { refetchInterval: REFRESH_MS });
  const here = answers.find((answer) => answer.gateway.base === gateway.base)?.query.data?.emergencies ?? [];
  const onExam = here.filter((emergency) => emergency.examId === examId);
  const past = onExam.filter(({ state }) => state === "over");
  return (
    <div className={s.stack}>
      <div className={s.stack} aria-live="polite">
        {onExam
          .filter(({ state }) => state === "open")
          .map((emergency) => (
            <Notice
              key={keyOf(emergency)}
              kind="warn"
              title={`${nameOf(emergency, gateway)} has opened this exam in an emergency.`}
            >
              {sentenceOf(emergency)} They may see it {untilInWords(emergency.until)}. If you know of no
              emergency, ask {gateway.name}.
            </Notice>
          ))}
      </div>
      {past.length > 0 && (
        <details className={s.past}>
          <summary>Opened in an emergency ({past.length})</summary>
          <ul>
            {past.map((emergency) => (
              <li key={keyOf(emergency)}>
                {nameOf(emergency, gateway)}. {sentenceOf(emergency)} It was over{" "}
                {shortMoment(emergency.until)}.
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function keyOf({ examId, openedAt, until }: Emergency): string {
  return `${examId} ${openedAt} ${until}`;
}

function nameOf({ reader: { name, role } }: Emergency, gateway: Gateway): string {
  if (name === null) return `A practitioner of ${gateway.name}`;
  return role === null ? name : `${name} (${role})`;
}

function sentenceOf({ openedAt, reason, second }: Emergency): string {
  const also = second ? ` ${second.name ?? "A second practitioner"} signed too.` : "";
  return `Opened ${shortMoment(openedAt)}, because ${emergencyInWords(reason).because}.${also}`;
}
