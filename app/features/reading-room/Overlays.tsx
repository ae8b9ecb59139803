import type { ReactNode } from "react";
import { plainDate } from "../../words/dates.ts";
import { type Instance, number, personName, text } from "./dicomJson.ts";
import { edgeLetters } from "./orientation.ts";
import type { Reading } from "./reading.ts";

/** The corners: who and what this is, told by the picture that is on the canvas. Without a picture, nothing. */
export function Overlays({ reading }: { reading: Reading }): ReactNode {
  const { picture, look } = reading;
  if (picture.kind !== "drawn") return null;
  const { slice, drawn } = picture;
  const { instance } = slice;
  const stack = reading.series[reading.seriesIndex]?.slices ?? [];
  const place = stack.findIndex(({ imageId }) => imageId === slice.imageId) + 1;
  const letters = edgeLetters(instance, look);
  return (
    <div className="rr-overlays">
      <Corner at="top-left" lines={patientLines(instance)} />
      <Corner at="top-right" lines={[text(instance, "StudyDescription"), date(instance, "StudyDate")]} />
      <Corner at="bottom-left" lines={[seriesLine(instance), `Image ${place}/${stack.length}`]} />
      <Corner
        at="bottom-right"
        lines={[
          text(instance, "LossyImageCompression") === "01" ? "Lossy compressed" : "",
          drawn.window ? `W ${round(drawn.window.width)}  L ${round(drawn.window.center)}` : "Colour",
          look.actualSize ? "1:1" : `Zoom ${Math.round(drawn.scale * 100)}%`,
        ]}
      />
      {letters && (
        <div className="rr-edges" aria-hidden="true">
          <span>{letters.top}</span>
          <span>{letters.right}</span>
          <span>{letters.bottom}</span>
          <span>{letters.left}</span>
        </div>
      )}
    </div>
  );
}

function Corner({ at, lines }: { at: string; lines: readonly string[] }): ReactNode {
  return (
    <div className={`rr-corner rr-${at}`} data-corner={at}>
      {lines.filter(Boolean).map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

function patientLines(instance: Instance): string[] {
  const id = text(instance, "PatientID");
  const born = date(instance, "PatientBirthDate");
  return [personName(instance, "PatientName"), id && `ID ${id}`, born && `Born ${born}`];
}

function seriesLine(instance: Instance): string {
  const seriesNumber = number(instance, "SeriesNumber");
  const head = seriesNumber === undefined ? "Series" : `Series ${seriesNumber}`;
  return [head, text(instance, "SeriesDescription")].filter(Boolean).join(": ");
}

function date(instance: Instance, keyword: "StudyDate" | "PatientBirthDate"): string {
  const value = text(instance, keyword);
  return plainDate(value) ?? value;
}

function round(value: number): string {
  return Math.abs(value) >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(2);
}
