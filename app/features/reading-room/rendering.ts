/** The heavy half of the reading room, on Cornerstone3D: loaded as one chunk, when an exam is opened. */
export { LoadQueue } from "./loadQueue.ts";
export { Pictures, prepareCornerstone } from "./pictures.ts";
export { Stage } from "./stage.ts";
