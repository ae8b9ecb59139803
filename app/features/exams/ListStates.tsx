import { Button, Notice } from "../../design/index.ts";
import { sentenceFor } from "../../words/index.ts";
import type { Unanswered } from "./data.ts";
import s from "./List.module.css";

/** Where exams are about to appear. */
export function ExamsLoading() {
  return (
    <div className={s.list} role="status">
      <span className="visually-hidden">Loading your exams…</span>
      {[0, 1].map((place) => (
        <div key={place} className={s.skeleton} aria-hidden="true">
          <div className={s.skeletonPicture} />
          <div className={s.skeletonWords}>
            <span />
            <span />
            <span />
          </div>
        </div>
      ))}
    </div>
  );
}

/** Gateways that should have told of exams and did not, each once, with why. */
export function UnansweredNotices({ unanswered, retry }: { unanswered: Unanswered[]; retry: () => void }) {
  const each = new Map(unanswered.map((one) => [`${one.gateway.base} ${one.problem.reason}`, one]));
  return [...each.entries()].map(([key, { gateway, problem }]) => {
    const { title, way } = sentenceFor(problem);
    return (
      <Notice
        key={key}
        kind="warn"
        role="status"
        title={`${gateway.name}: ${title}`}
        actions={<Button onClick={retry}>Ask again</Button>}
      >
        {way}
      </Notice>
    );
  });
}
