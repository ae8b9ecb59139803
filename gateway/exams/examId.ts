/** The exam that a path names. */
import type { Hex } from "../../protocol/hash.ts";
import { Problem } from "../problem.ts";

/** The `:examId` of a path. @throws {Problem} `malformed-request` */
export function examIdOf({ examId }: { examId: string }): Hex {
  if (!/^0x[0-9a-f]{64}$/.test(examId)) throw new Problem("malformed-request", "That is not an exam's id.");
  return examId as Hex;
}
