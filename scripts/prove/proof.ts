import { readFileSync } from "node:fs";
import { join } from "node:path";
import solc from "solc";
import { ROOT } from "../checks/program.ts";
import { askZ3, type Engine } from "./z3.ts";

/** A contract of `test/proofs/`, and the engine that its assertions are for. */
export interface Proof {
  name: string;
  engine: Engine;
  what: string;
}

/** What became of one assertion. */
export interface Finding {
  line: number;
  text: string;
  verdict: "proved" | "refuted" | "undecided";
  /** What the compiler says of it. Its counterexamples are left out: it reads the values of z3's models wrongly. */
  detail: string;
}

/** The part of the compiler's answer that is read here. */
interface CompilerMessage {
  severity: string;
  message: string;
  formattedMessage: string;
  sourceLocation?: { file: string; start: number; end: number };
}

/**
 * Asks SMTChecker for every assertion and every subtraction of a proof.
 * @param seconds how long z3 may think about one query, in each way of asking
 * @param edit changes the sources before they are compiled, given their paths
 * @throws where the sources do not compile
 */
export function prove(
  { name, engine }: Proof,
  seconds: number,
  edit: (path: string, source: string) => string = (_, source) => source,
): Finding[] {
  const sources = new Map<string, string>();
  const read = (path: string): string => {
    const source = edit(path, readFileSync(join(ROOT, path), "utf8"));
    sources.set(path, source);
    return source;
  };
  const file = `test/proofs/${name}.sol`;
  const input = {
    language: "Solidity",
    sources: { [file]: { content: read(file) } },
    settings: {
      evmVersion: "cancun",
      modelChecker: {
        contracts: { [file]: [name] },
        engine,
        solvers: ["smtlib2"],
        targets: ["assert", "underflow"],
        showProvedSafe: true,
        showUnproved: true,
      },
    },
  };
  const output = solc.compile(JSON.stringify(input), {
    import: (path: string) => ({ contents: read(path) }),
    smtSolver: (query: string) => ({ contents: askZ3(query, engine, seconds) }),
  });
  const messages: CompilerMessage[] = JSON.parse(output).errors ?? [];
  const broken = messages.find(({ severity }) => severity === "error");
  if (broken) throw new Error(broken.formattedMessage);
  return messages.flatMap((message) => {
    const found = findingOf(message, sources);
    return found ? [found] : [];
  });
}

function findingOf(
  { message, formattedMessage, sourceLocation }: CompilerMessage,
  sources: Map<string, string>,
): Finding | null {
  if (!/^(CHC|BMC): /.test(message) || !sourceLocation) return null;
  const source = sources.get(sourceLocation.file) ?? "";
  return {
    line: source.slice(0, sourceLocation.start).split("\n").length,
    text: source.slice(sourceLocation.start, sourceLocation.end).replace(/\s+/g, " "),
    verdict: / is safe!/.test(message) ? "proved" : / happens here/.test(message) ? "refuted" : "undecided",
    detail: formattedMessage.split("\nNote:", 1).join("").trim(),
  };
}

/**
 * The proof with one assertion at the end of each function that had any: that the end is never reached. It must be refuted
 * everywhere: what nothing reaches is proved of nothing.
 */
export function unreachable(path: string, source: string): string {
  if (!path.startsWith("test/proofs/")) return source;
  const assertion = /\bassert\([^;]*\);/g;
  return source.replace(/^ {4}function [\s\S]*?\n {4}\}\n/gm, (body) =>
    body.match(assertion)
      ? body.replace(assertion, "").replace(/ {4}\}\n$/, "        assert(false);\n    }\n")
      : body,
  );
}
