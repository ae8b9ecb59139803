export { type ExamAt, useExams, useMe } from "./data.ts";
export { readingPath } from "./ExamCard.tsx";
export { ExamFacts } from "./ExamFacts.tsx";
export { ExamPicture } from "./ExamPicture.tsx";
export { ExamsLoading, UnansweredNotices } from "./ListStates.tsx";
export { MyExamsPage } from "./MyExamsPage.tsx";
