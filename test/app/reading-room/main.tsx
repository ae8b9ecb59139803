/** A page that holds nothing but the reading room, so that tests can open exams in it and end access. */
import { StrictMode, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import "../../../app/design/tokens.css";
import { preloadReadingRoom, ReadingRoom } from "../../../app/features/reading-room/index.ts";
import type { Exam, Problem } from "../../../protocol/api.ts";

declare global {
  interface Window {
    /** What the room asks for at each request. */
    token: string;
    openExam(exam: Exam | null): void;
    endAccess(problem: Problem): void;
  }
}

function Page() {
  const [exam, setExam] = useState<Exam | null>(null);
  const [ended, setEnded] = useState<Problem | null>(null);
  // At once, so that what a test looks for next is not of the exam before.
  window.openExam = (next) =>
    flushSync(() => {
      setEnded(null);
      setExam(next);
    });
  window.endAccess = (problem) => flushSync(() => setEnded(problem));
  if (!exam) return <p>No exam is open.</p>;
  return (
    <ReadingRoom
      exam={exam}
      dicomwebRoot={`${location.origin}/dicomweb`}
      getToken={async () => window.token}
      ended={ended}
      onClose={() => setExam(null)}
    />
  );
}

window.token = "";
preloadReadingRoom();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
