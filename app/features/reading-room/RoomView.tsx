import { ArrowLeft, Siren } from "lucide-react";
import { type ReactNode, type RefCallback, useSyncExternalStore } from "react";
import type { Exam } from "../../../protocol/api.ts";
import { plainDate, untilInWords } from "../../words/dates.ts";
import type { Tool } from "./gestures.ts";
import { Overlays } from "./Overlays.tsx";
import { Placeholder } from "./Placeholder.tsx";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";
import { Scrubber } from "./Scrubber.tsx";
import { SeriesList } from "./SeriesList.tsx";
import { Spoken } from "./Spoken.tsx";
import { Toolbar } from "./Toolbar.tsx";

interface RoomViewProps {
  exam: Exam;
  reader: Reader | null;
  stageRef: RefCallback<HTMLDivElement>;
  tool: Tool;
  onTool: (tool: Tool) => void;
  onClose: () => void;
}

const neverChanges = () => () => {};
const noReading = () => null;

/** The room's layout: series on one side, tools above, the picture in the middle. */
export function RoomView({ exam, reader, stageRef, tool, onTool, onClose }: RoomViewProps): ReactNode {
  const reading = useSyncExternalStore(reader?.subscribe ?? neverChanges, reader?.current ?? noReading);
  return (
    <main className="reading-room" aria-label="Reading room">
      <header className="rr-header">
        <button type="button" className="rr-button rr-back" onClick={onClose} aria-label="Close the exam">
          <ArrowLeft aria-hidden="true" size={20} />
        </button>
        <div className="rr-title">
          <h1>{exam.patient.name || "Unnamed patient"}</h1>
          <p>{[exam.description, plainDate(exam.studyDate)].filter(Boolean).join(" · ")}</p>
        </div>
      </header>
      {reading && reader && <SeriesList exam={exam} reading={reading} reader={reader} />}
      {reading && reader && <Toolbar reading={reading} reader={reader} tool={tool} onTool={onTool} />}
      <section className="rr-view" aria-label="Image">
        {/* Cornerstone3D owns what is inside this element. */}
        <div
          ref={stageRef}
          className="rr-stage"
          data-tool={tool}
          role="img"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys work on the picture, which must be reachable
          tabIndex={0}
          aria-label={pictureLabel(reading)}
        />
        {exam.access?.emergency && (
          <p className="rr-emergency" role="status">
            <Siren aria-hidden="true" size={16} /> Emergency,{" "}
            {untilInWords(exam.access.notAfter, { short: true })}. The patient sees that you opened this.
          </p>
        )}
        {reading && <Overlays reading={reading} />}
        {reading && reader && <Placeholder reading={reading} reader={reader} onClose={onClose} />}
        {reading && reader && <Scrubber reading={reading} reader={reader} />}
        {reading && <Spoken reading={reading} />}
      </section>
    </main>
  );
}

function pictureLabel(reading: Reading | null): string {
  const series = reading?.series[reading.seriesIndex];
  if (!reading || !series || reading.picture.kind !== "drawn") return "No image is shown";
  const place = `image ${reading.sliceIndex + 1} of ${series.slices.length}`;
  return [series.modality, series.description, place].filter(Boolean).join(", ");
}
