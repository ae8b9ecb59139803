import { FileText, Image } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { Reader } from "./reader.ts";
import type { Reading, SeriesEntry } from "./reading.ts";

/** The exam's series, each with a picture and how many images it has. */
export function SeriesList({ reading, reader }: { reading: Reading; reader: Reader }): ReactNode {
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
                  <b>{entry.modality}</b> {countOf(entry)}
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

function countOf({ state, slices, numberOfInstances }: SeriesEntry): string {
  if (state === "failed") return "cannot be read";
  if (state === "read" && slices.length === 0) return "no pictures";
  const count = state === "read" ? slices.length : numberOfInstances;
  return count === 1 ? "1 image" : `${count} images`;
}
