import { FileText, ImageOff, LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";

interface PlaceholderProps {
  reading: Reading;
  reader: Reader;
  onClose: () => void;
}

/** What stands in the picture's place while there is none: what is missing, by name, and why. */
export function Placeholder({ reading, reader, onClose }: PlaceholderProps): ReactNode {
  const { phase, failure, picture, series, seriesIndex, sliceIndex } = reading;
  const entry = series[seriesIndex];
  if (phase === "failed") {
    return (
      <Notice icon="broken" title="This exam could not be opened" text={failure?.message ?? ""}>
        <button type="button" className="rr-button rr-primary" onClick={onClose}>
          Back to the list of exams
        </button>
      </Notice>
    );
  }
  if (picture.kind === "failed") {
    const title = `Image ${sliceIndex + 1} of ${entry?.slices.length ?? 0} cannot be shown`;
    return (
      <Notice icon="broken" title={title} text={picture.failure.message}>
        <button type="button" className="rr-button" onClick={() => reader.retry()}>
          Try again
        </button>
      </Notice>
    );
  }
  if (picture.kind === "loading") return <Waiting text={`Image ${sliceIndex + 1}`} />;
  if (picture.kind === "drawn") return null;
  if (phase === "open" && series.length === 0) {
    return <Notice icon="object" title="This exam has no series" text="The archive lists nothing in it." />;
  }
  if (entry?.state === "failed") {
    return <Notice icon="broken" title="This series could not be read" text={entry.failure?.message ?? ""} />;
  }
  if (entry?.state === "read" && entry.slices.length === 0) {
    const names = [...new Set(entry.pictureless.map(({ name }) => name))].join(", ");
    return <Notice icon="object" title="No pictures" text={`This series holds: ${names || "nothing"}.`} />;
  }
  return phase === "closed" ? null : (
    <Waiting text={phase === "opening" ? "Opening the exam" : "Opening the series"} />
  );
}

function Waiting({ text }: { text: string }): ReactNode {
  return (
    <div className="rr-placeholder rr-waiting" data-placeholder="waiting">
      <LoaderCircle aria-hidden="true" className="rr-spin" size={22} />
      <span>{text}…</span>
    </div>
  );
}

interface NoticeProps {
  icon: "broken" | "object";
  title: string;
  text: string;
  children?: ReactNode;
}

function Notice({ icon, title, text, children }: NoticeProps): ReactNode {
  const Icon = icon === "broken" ? ImageOff : FileText;
  return (
    <div className="rr-placeholder" data-placeholder={icon}>
      <Icon aria-hidden="true" size={34} strokeWidth={1.4} />
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  );
}
