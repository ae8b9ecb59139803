export { type ExamAt, type Unanswered, useExams, useMe } from "./data.ts";
export { readingPath } from "./ExamCard.tsx";
export { ExamFacts, whenAndHowMany } from "./ExamFacts.tsx";
export { ExamPicture } from "./ExamPicture.tsx";
export { endOf, FAULT_WORDS, type GrantForm, termsOf, type Until } from "./grantForm.ts";
export { ExamsLoading, UnansweredNotices } from "./ListStates.tsx";
export { MyExamsPage } from "./MyExamsPage.tsx";
export { ResourceMismatchError, resourceOf } from "./verify.ts";
