export { matchCall, matchTypedData, type TypedDataMatch } from "./match.ts";
export { ReadingWords } from "./ReadingWords.tsx";
export { patientOf, type Reading, read } from "./read.ts";
export { type Known, quotable } from "./say.ts";
export { UnreadableError } from "./values.ts";
