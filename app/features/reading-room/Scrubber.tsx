import type { PointerEvent, ReactNode } from "react";
import type { Reader } from "./reader.ts";
import type { Reading } from "./reading.ts";

/** The place in the series: where the reader is, and which pictures are ready. Drag it, or use the keys. */
export function Scrubber({ reading, reader }: { reading: Reading; reader: Reader }): ReactNode {
  const slices = reading.series[reading.seriesIndex]?.slices ?? [];
  const count = slices.length;
  if (count < 2) return null;
  const seek = (event: PointerEvent<HTMLDivElement>) => {
    if (event.type === "pointermove" && event.buttons === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    const upright = box.height > box.width;
    const along = upright ? (event.clientY - box.top) / box.height : (event.clientX - box.left) / box.width;
    reader.showSlice(Math.floor(along * count));
  };
  return (
    <div
      className="rr-scrubber"
      role="slider"
      tabIndex={0}
      aria-label="Image in the series"
      aria-orientation="vertical"
      aria-valuemin={1}
      aria-valuemax={count}
      aria-valuenow={reading.sliceIndex + 1}
      aria-valuetext={`Image ${reading.sliceIndex + 1} of ${count}`}
      data-ready={reading.ready.size}
      onPointerDown={seek}
      onPointerMove={seek}
    >
      <div className="rr-track">
        {runsOf(slices.map(({ imageId }) => stateOf(reading, imageId))).map(({ state, from, to }) => (
          <span
            key={from}
            className={`rr-run rr-run-${state}`}
            style={{ "--from": from / count, "--to": to / count } as React.CSSProperties}
          />
        ))}
        <span
          className="rr-thumb"
          style={
            {
              "--from": reading.sliceIndex / count,
              "--to": (reading.sliceIndex + 1) / count,
            } as React.CSSProperties
          }
        />
      </div>
    </div>
  );
}

type State = "ready" | "broken" | "absent";

function stateOf({ ready, broken }: Reading, imageId: string): State {
  if (ready.has(imageId)) return "ready";
  return broken.has(imageId) ? "broken" : "absent";
}

/** Stretches of pictures in the same state, leaving out those that are not here yet. */
function runsOf(states: readonly State[]): { state: State; from: number; to: number }[] {
  const runs: { state: State; from: number; to: number }[] = [];
  states.forEach((state, at) => {
    const last = runs.at(-1);
    if (last?.state === state) last.to = at + 1;
    else runs.push({ state, from: at, to: at + 1 });
  });
  return runs.filter(({ state }) => state !== "absent");
}
