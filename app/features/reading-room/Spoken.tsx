import { type ReactNode, useEffect, useState } from "react";
import type { Reading } from "./reading.ts";

/** How long the reader has to rest on a picture before it is announced, in milliseconds. */
const REST = 500;

/** Says which picture is shown, once scrolling rests, to those who do not see it. */
export function Spoken({ reading }: { reading: Reading }): ReactNode {
  const text = spokenText(reading);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), REST);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p className="rr-spoken" aria-live="polite">
      {said}
    </p>
  );
}

function spokenText({ picture, sliceIndex, series, seriesIndex }: Reading): string {
  const count = series[seriesIndex]?.slices.length ?? 0;
  if (picture.kind === "drawn") return `Image ${sliceIndex + 1} of ${count}`;
  if (picture.kind === "failed")
    return `Image ${sliceIndex + 1} of ${count} cannot be shown. ${picture.failure.message}`;
  return "";
}
