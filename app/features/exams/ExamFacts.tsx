import type { Exam } from "../../../protocol/api.ts";
import { descriptionInWords, examTitle, imageCount, plainDate } from "../../words/index.ts";
import s from "./ExamFacts.module.css";

/** "Made on 11 June 1996 · 20 images" */
export function whenAndHowMany(exam: Exam): string {
  const date = plainDate(exam.studyDate);
  return [date ?? "Date unknown", imageCount(exam.numberOfImages)].join(" · ");
}

/** What an exam is, in plain words. */
export function ExamFacts({
  exam,
  titleId,
  showPatient,
}: {
  exam: Exam;
  titleId: string;
  showPatient: boolean;
}) {
  const born = plainDate(exam.patient.birthDate);
  const description = descriptionInWords(exam.description);
  return (
    <div>
      <h2 id={titleId} className={s.title}>
        {examTitle(exam)}
      </h2>
      <p>{whenAndHowMany(exam)}</p>
      {showPatient && (
        <p>
          {exam.patient.name}
          {born && `, born ${born}`}
        </p>
      )}
      <p className={s.muted}>
        {description && <>“{description}” · </>}
        {exam.custodian.name}
      </p>
    </div>
  );
}
