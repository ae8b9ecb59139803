import { LockKeyhole } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { Problem } from "../../../protocol/api.ts";
import { sentenceFor } from "../../words/problems.ts";
import "./reading-room.css";

/** What is left when access ends: why, and the way out. Nothing of the exam. */
export function Ended({ problem, onClose }: { problem: Problem; onClose: () => void }): ReactNode {
  const sentence = sentenceFor(problem);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <main className="reading-room rr-ended">
      <div className="rr-ended-card" role="alert" data-reason={problem.reason}>
        <LockKeyhole aria-hidden="true" size={36} strokeWidth={1.5} />
        <h1 ref={heading} tabIndex={-1}>
          {sentence.title}
        </h1>
        <p>{sentence.way}</p>
        <p className="rr-quiet">The images have been taken off this screen.</p>
        <button type="button" className="rr-button rr-primary" onClick={onClose}>
          Back to the list of exams
        </button>
      </div>
    </main>
  );
}
