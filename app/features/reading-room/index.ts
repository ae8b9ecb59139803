/** The reading room's door: what it takes to open an exam. The room itself is loaded when it is entered. */
import { createElement, lazy, type ReactNode, Suspense } from "react";
import type { ReadingRoomProps } from "./ReadingRoom.tsx";

export type { ReadingRoomProps } from "./ReadingRoom.tsx";

const Room = lazy(() => import("./ReadingRoom.tsx"));
const darkness = createElement("div", { style: { position: "fixed", inset: 0, background: "#000" } });

/** Begin to fetch the room's code, for the moment before somebody enters. */
export function preloadReadingRoom(): void {
  void import("./ReadingRoom.tsx");
  void import("./rendering.ts");
}

/** Reads one exam, until access ends or it is closed. */
export function ReadingRoom(props: ReadingRoomProps): ReactNode {
  return createElement(Suspense, { fallback: darkness }, createElement(Room, props));
}
