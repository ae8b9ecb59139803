/** What is left of an exam: in a database, in its files, on a chain; and whether it leads back to the study. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { sql } from "drizzle-orm";
import type { JsonRpcProvider } from "ethers";
import type { Database } from "../../gateway/database/database.ts";
import { Seal } from "../../gateway/database/seal.ts";
import { type Hex, toHex } from "../../protocol/hash.ts";
import { examCommitment, seriesCommitment, seriesSalt } from "../../protocol/ids.ts";
import { leafSalt, type ManifestFrame, manifestLeaf, manifestLeaves } from "../../protocol/manifest.ts";
import { merkleRoot } from "../../protocol/merkle.ts";

/** A study, as whoever has its files knows it. */
export interface Study {
  studyInstanceUid: string;
  seriesInstanceUids: string[];
  frames: ManifestFrame[];
  /** What the registrar's fingerprint is made of: a line for each instance. */
  listed: string[];
}

/** Every row of every table, and what the planner keeps of them, as text. */
export async function textOfDatabase(database: Database): Promise<string> {
  const rowsOf = async (query: string) => (await database.execute(sql.raw(query))) as { rows: object[] };
  const tables = await rowsOf(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  );
  const texts: string[] = [];
  for (const { name } of tables.rows as { name: string }[]) {
    const { rows } = await rowsOf(`select to_jsonb(t)::text as row from ${name} t`);
    texts.push(`# ${name}`, ...(rows as { row: string }[]).map(({ row }) => row));
  }
  const { rows } = await rowsOf(
    "select to_jsonb(s)::text as row from pg_stats s where schemaname = 'public'",
  );
  return [...texts, "# statistics", ...(rows as { row: string }[]).map(({ row }) => row)].join("\n");
}

/** Every log, and the calldata of every transaction but those that made the contracts. */
export async function textOfChain(provider: JsonRpcProvider): Promise<string> {
  const logs = await provider.getLogs({ fromBlock: 0 });
  const texts = logs.map(({ topics, data }) => [...topics, data].join(" "));
  const head = await provider.getBlockNumber();
  for (let number = 0; number <= head; number++) {
    const block = await provider.getBlock(number, true);
    for (const { to, data } of block?.prefetchedTransactions ?? []) if (to) texts.push(data);
  }
  return texts.join("\n");
}

/** Those of these texts and hexadecimal words that are in a text: as they are, in hexadecimal, in base64. */
export function foundIn(text: string, needles: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return needles.filter((needle) => {
    const bytes = needle.startsWith("0x") ? Buffer.from(needle.slice(2), "hex") : Buffer.from(needle, "utf8");
    const plain = needle.startsWith("0x") ? needle.slice(2) : needle;
    const encoded = [bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")];
    return (
      lower.includes(plain.toLowerCase()) ||
      lower.includes(bytes.toString("hex")) ||
      encoded.some((form) => text.includes(form))
    );
  });
}

/** Files below a folder whose bytes hold one of these texts. */
export function filesWith(folder: string, needles: readonly string[]): string[] {
  const patterns = needles.flatMap((needle) => ["-e", needle.startsWith("0x") ? needle.slice(2) : needle]);
  try {
    return execFileSync("grep", ["-rlaF", ...patterns, folder])
      .toString()
      .trim()
      .split("\n");
  } catch (error) {
    if ((error as { status?: number }).status === 1) return [];
    throw error;
  }
}

/** Every run of 32 bytes that is there in hexadecimal, at any byte of a longer one. */
function wordsIn(text: string): Set<Hex> {
  const words = new Set<Hex>();
  for (const [run] of text.toLowerCase().matchAll(/[0-9a-f]{64,}/g))
    for (let at = 0; at + 64 <= run.length; at += 2) words.add(`0x${run.slice(at, at + 64)}`);
  return words;
}

/**
 * The attack: with the study in hand, take every word that is left for a salt or a key, make all that is made of a study
 * here, and see whether that is left too.
 * @returns what was found, by what it is
 */
export function linksTo(study: Study, text: string): string[] {
  const { studyInstanceUid, seriesInstanceUids, frames, listed } = study;
  const words = wordsIn(text);
  const marks = new Set([...text.matchAll(/"tag": "[0-9a-f]+\.([\w-]{43})"/g)].map(([, mark]) => mark));
  const found = new Set<string>();
  const look = (what: string, value: string) => {
    if (text.includes(value.replace(/^0x/, ""))) found.add(what);
  };
  const lines = [...listed].sort().join("\n");
  look("fingerprint", createHash("sha256").update(lines).digest("hex"));
  for (const plain of [studyInstanceUid, ...seriesInstanceUids, ...frames.map((one) => one.sopInstanceUid)]) {
    look("SHA-256 of a UID", createHash("sha256").update(plain).digest("hex"));
    look("Keccak-256 of a UID", toHex(keccak_256(Buffer.from(plain))));
  }
  for (const word of words) {
    const has = (what: string, value: Hex) => {
      if (words.has(value)) found.add(what);
    };
    has("commitment", examCommitment(word, studyInstanceUid));
    has("manifest's root", merkleRoot(manifestLeaves(word, frames)));
    for (const uid of seriesInstanceUids) {
      has("series' commitment", seriesCommitment(seriesSalt(word, uid), uid));
      has("series' commitment", seriesCommitment(word, uid));
    }
    for (const frame of frames) {
      has("leaf", manifestLeaf(leafSalt(word, frame.sopInstanceUid, frame.frame), frame));
      has("leaf", manifestLeaf(word, frame));
    }
    if (marks.size === 0) continue;
    const mark = new Seal(word.slice(2)).tag(`withheld study ${studyInstanceUid}`);
    if (marks.has(mark)) found.add("mark of a withheld study");
  }
  return [...found].sort();
}
