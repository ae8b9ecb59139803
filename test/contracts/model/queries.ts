/** What is asked of the ledger and of the model. */
import type { Membership, Query } from "./acts.ts";
import { BOUNDARIES, EXAMS, HEAD, IN_MANY, IN_ONE, OF_NOBODY, SALT, START } from "./cast.ts";

const READERS: [reader: string, salt?: string][] = [["rita"], ["rita", SALT], ["raj"], ["ann"], ["ben"]];
const USES = [
  ["TREAT", "VIEW"],
  ["HRESCH", "VIEW"],
  ["TREAT", "DOWNLOAD"],
] as const;

/** On both sides of every boundary. */
const TIMES = BOUNDARIES.flatMap((time) => [time - 1, time]);

/** What is shown beside the question, by turns: nothing, what is right, and what is not. */
const SHOWN: (Membership | undefined)[] = [
  undefined,
  IN_MANY,
  undefined,
  IN_ONE,
  undefined,
  { ...IN_MANY, proven: false },
  { ...IN_ONE, manifest: "of many" },
];

/** Every question about the exams, and some that nobody may ask. */
export const QUERIES: readonly Query[] = [...wellFormed(), ...unusual()];

function* wellFormed(): Generator<Query> {
  let asked = 0;
  for (const exam of EXAMS) {
    for (const series of exam === HEAD ? [undefined, "1", "2"] : [undefined, "1"]) {
      for (const [reader, salt] of READERS) {
        for (const [purpose, action] of USES) {
          for (const time of TIMES) {
            const membership = SHOWN[asked++ % SHOWN.length];
            yield { exam, series, reader, salt, purposes: [purpose], actions: [action], time, membership };
          }
        }
      }
    }
  }
}

function unusual(): Query[] {
  const usual: Query = { exam: HEAD, reader: "rita", purposes: ["TREAT"], actions: ["VIEW"], time: START };
  return [
    { ...usual, exam: OF_NOBODY, membership: IN_MANY },
    { ...usual, dirty: "custodian" },
    { ...usual, dirty: "patient", membership: IN_MANY },
    { ...usual, dirty: "reader" },
    { ...usual, purposes: [] },
    { ...usual, purposes: ["TREAT", "HRESCH"], membership: IN_MANY },
    { ...usual, actions: [] },
    { ...usual, actions: ["VIEW", "DOWNLOAD"] },
  ];
}
