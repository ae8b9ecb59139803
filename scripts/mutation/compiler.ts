import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import wrapper from "solc/wrapper.js";
import type { SourceUnit } from "solidity-ast";
import { ROOT } from "../checks/program.ts";

const require = createRequire(import.meta.url);

/** Loaded once: the compiler's WebAssembly takes half a second to start. */
const compiler = wrapper(require("solc/soljson.js"));

/** The compiler's version, as in `pragma solidity`. */
export const COMPILER_VERSION: string = compiler.semver().split("+")[0];

/** Bytes in hexadecimal, and where libraries' addresses belong in them. */
interface Bytecode {
  object: string;
  linkReferences: Record<string, Record<string, { start: number; length: number }[]>>;
}

/** What the compiler says, as far as it is asked for here. Offsets count bytes. */
export interface Compilation {
  errors?: {
    severity: "error" | "warning" | "info";
    formattedMessage: string;
    sourceLocation?: { file: string; start: number; end: number };
  }[];
  sources: Record<string, { ast: SourceUnit }>;
  contracts?: Record<
    string,
    Record<
      string,
      {
        abi: { type: string; name?: string; inputs?: object[] }[];
        evm: { bytecode: Bytecode; deployedBytecode: Bytecode };
      }
    >
  >;
}

/** Compiles the given sources, by path from the project's root, and whatever they import. Errors are in the answer. */
export function compile(
  sources: ReadonlyMap<string, string>,
  settings: { outputSelection: Record<string, Record<string, string[]>>; [setting: string]: unknown },
): Compilation {
  const read = (path: string) => {
    const given = sources.get(path);
    if (given !== undefined) return { contents: given };
    try {
      return {
        contents: readFileSync(path.startsWith("@") ? require.resolve(path) : join(ROOT, path), "utf8"),
      };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries([...sources].map(([path, content]) => [path, { content }])),
    settings,
  };
  return JSON.parse(compiler.compile(JSON.stringify(input), { import: read }));
}
