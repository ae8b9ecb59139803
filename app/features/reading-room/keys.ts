/** The keyboard, as radiologists know it. */
import { useEffect } from "react";
import type { Reader } from "./reader.ts";
import { CT_PRESETS } from "./windowing.ts";

/** What each key does, for the list of keys. */
export const KEYS: readonly [keys: string, action: string][] = [
  ["↑ ↓", "Image before, image after"],
  ["Page ↑ Page ↓", "Series before, series after"],
  ["Home, End", "First image, last image"],
  ["1 – 5", "Window: soft tissue, lung, liver, bone, brain (CT)"],
  ["I", "Invert"],
  ["H, V", "Flip across, flip up and down"],
  ["R, L", "Turn right, turn left"],
  ["0", "Actual size (1:1)"],
  ["C", "Play and stop"],
  ["Space", "Reset"],
];

/** Listen for the keys as long as the room is open. */
export function useKeys(reader: Reader | null): void {
  useEffect(() => {
    if (!reader) return;
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || isTyping(event)) return;
      if (act(reader, event.key)) event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [reader]);
}

/** Space and Enter belong to the control that has the focus. */
function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches("input, select, textarea, [contenteditable]")) return true;
  return (key === " " || key === "Enter") && target.matches("button, a, summary");
}

function act(reader: Reader, key: string): boolean {
  const { sliceIndex, seriesIndex, series, look } = reader.current();
  const preset = CT_PRESETS.find((candidate) => candidate.key === key);
  if (preset) return choosePreset(reader, preset);
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case "ArrowUp":
      reader.showSlice(sliceIndex - 1);
      return true;
    case "ArrowDown":
      reader.showSlice(sliceIndex + 1);
      return true;
    case "PageUp":
      void reader.openSeries(seriesIndex - 1);
      return true;
    case "PageDown":
      void reader.openSeries(seriesIndex + 1);
      return true;
    case "Home":
      reader.showSlice(0);
      return true;
    case "End":
      reader.showSlice((series[seriesIndex]?.slices.length ?? 1) - 1);
      return true;
    case "c":
      reader.toggleCine();
      return true;
    case "i":
      reader.restyle({ invert: !look.invert });
      return true;
    case "h":
      reader.restyle({ flipHorizontal: !look.flipHorizontal });
      return true;
    case "v":
      reader.restyle({ flipVertical: !look.flipVertical });
      return true;
    case "r":
      reader.restyle({ rotation: (look.rotation + 90) % 360 });
      return true;
    case "l":
      reader.restyle({ rotation: (look.rotation + 270) % 360 });
      return true;
    case "0":
      reader.restyle({ actualSize: !look.actualSize, zoom: 1, pan: [0, 0] });
      return true;
    case " ":
      reader.reset();
      return true;
    default:
      return false;
  }
}

/** Presets are in Hounsfield units, and mean nothing elsewhere. */
function choosePreset(reader: Reader, { center, width }: { center: number; width: number }): boolean {
  const { series, seriesIndex } = reader.current();
  if (series[seriesIndex]?.modality !== "CT") return false;
  reader.restyle({ window: { center, width } });
  return true;
}
