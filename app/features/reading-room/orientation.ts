/** Which way the patient lies in the picture, as letters for its four edges. */
import { type Instance, numbers } from "./dicomJson.ts";

/** Letters at the edges of the picture as it is shown: R, L, A, P, F (feet), H (head). */
export interface EdgeLetters {
  top: string;
  right: string;
  bottom: string;
  left: string;
}

interface Turned {
  /** Clockwise, in degrees; quarter turns. */
  rotation: number;
  flipHorizontal: boolean;
  flipVertical: boolean;
}

/**
 * The edge letters (PS3.3 C.7.6.1.1.1), or null where the image does not say how the patient lies.
 * The flips come before the turn, as they do on the stage.
 */
export function edgeLetters(instance: Instance, turned: Turned): EdgeLetters | null {
  const cosines = numbers(instance, "ImageOrientationPatient");
  if (cosines.length !== 6) return null;
  const row = cosines.slice(0, 3);
  const column = cosines.slice(3, 6);
  const across = turned.flipHorizontal ? row.map((c) => -c) : row;
  const down = turned.flipVertical ? column.map((c) => -c) : column;
  const around = [down.map((c) => -c), across, down, across.map((c) => -c)].map(letters);
  const quarters = (((Math.round(turned.rotation / 90) % 4) + 4) % 4) as 0 | 1 | 2 | 3;
  const [top = "", right = "", bottom = "", left = ""] = around.map(
    (_, edge) => around[(edge - quarters + 4) % 4],
  );
  return { top, right, bottom, left };
}

/** The directions that a vector points in, strongest first; weaker ones only where they matter. */
function letters(direction: readonly number[]): string {
  const [x = 0, y = 0, z = 0] = direction;
  const parts: [letter: string, size: number][] = [
    [x < 0 ? "R" : "L", Math.abs(x)],
    [y < 0 ? "A" : "P", Math.abs(y)],
    [z < 0 ? "F" : "H", Math.abs(z)],
  ];
  return parts
    .filter(([, size]) => size > 0.3)
    .sort(([, a], [, b]) => b - a)
    .map(([letter]) => letter)
    .join("");
}
