import { FileText, Image } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { Exam } from "../../../protocol/api.ts";
import { imageCount } from "../../words/imaging.ts";
import type { Reader } from "./reader.ts";
import type { Reading, SeriesEntry } from "./reading.ts";

interface SeriesListProps {
  exam: Exam;
  reading: Reading;
  reader: Reader;
}

/** The exam's series, each with a picture and how many images it has. */
export function SeriesList({ exam, reading, reader }: SeriesListProps): ReactNode {
  const current = useRef<HTMLLIElement>(null);
  const { seriesIndex } = reading;
  useEffect(() => {
    if (seriesIndex >= 0) current.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [seriesIndex]);
  return (
    <nav className="rr-series" aria-label="Series">
      <ul>
        {reading.series.map((entry, index) => (
          <li key={entry.seriesInstanceUid} ref={index === seriesIndex ? current : undefined}>
            <button
              type="button"
              aria-current={index === seriesIndex ? "true" : undefined}
              data-series-instance-uid={entry.seriesInstanceUid}
              onClick={() => void reader.openSeries(index)}
            >
              <Thumbnail entry={entry} />
              <span className="rr-series-text">
                <span className="rr-series-name">
                  {entry.description || `Series ${entry.number ?? index + 1}`}
                </span>
                <span className="rr-quiet">
                  <b>{entry.modality}</b> {countOf(entry, exam)}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Thumbnail({ entry }: { entry: SeriesEntry }): ReactNode {
  if (entry.thumbnail) return <img className="rr-thumbnail" src={entry.thumbnail} alt="" draggable={false} />;
  const Icon = entry.state === "read" && entry.slices.length === 0 ? FileText : Image;
  return (
    <span className="rr-thumbnail rr-no-thumbnail">
      <Icon aria-hidden="true" size={22} strokeWidth={1.4} />
    </span>
  );
}

/** How many images there are; before the series was read, by the gateway's account of it. */
function countOf({ state, slices, seriesInstanceUid }: SeriesEntry, { series }: Exam): string {
  if (state === "failed") return "cannot be read";
  if (state === "read") return slices.length === 0 ? "no pictures" : imageCount(slices.length);
  const told = series.find((one) => one.seriesInstanceUid === seriesInstanceUid);
  return told ? imageCount(told.numberOfImages) : "";
}
