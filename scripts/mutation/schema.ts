import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../checks/program.ts";
import { type Compilation, compile } from "./compiler.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { fromBytes, type SourceFile, toBytes } from "./syntax.ts";
import { SWITCH_PATH, SWITCH_SOURCE, type Woven, weave } from "./weave.ts";

/** Sources that hold the original and its mutants at once, and the mutants that they hold. */
export interface Schema {
  /** By path from the project's root. */
  sources: ReadonlyMap<string, string>;
  mutants: readonly Mutant[];
  /** Those that the compiler refuses, and what it says. */
  refused: readonly { mutant: Mutant; why: string }[];
}

const TREES = { outputSelection: { "*": { "": ["ast"] } } };

/** Reads files of the project, by path. */
export function readSources(patterns: string[]): Map<string, string> {
  const paths = globSync(patterns, { cwd: ROOT }).sort();
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
}

/**
 * Finds the mutants of some of the sources, and weaves those that compile into them.
 * @throws Error when the sources do not compile as they are
 */
export function schemaOf(sources: ReadonlyMap<string, string>, mutated: readonly string[]): Schema {
  const compilation = compile(sources, TREES);
  const [broken] = errorsOf(compilation);
  if (broken) throw new Error(`The contracts do not compile.\n${broken.formattedMessage}`);
  const files = mutated.map((path): SourceFile => {
    const tree = compilation.sources[path]?.ast;
    if (tree === undefined) throw new Error(`${path} is not among the sources.`);
    return { path, text: toBytes(sources.get(path) ?? ""), tree };
  });
  const trees = Object.values(compilation.sources).map(({ ast }) => ast);
  return weaveWhatCompiles(sources, files, mutantsOf(files, trees));
}

function errorsOf({ errors = [] }: Compilation) {
  return errors.filter(({ severity }) => severity === "error");
}

/** The compiler stops at the first kind of error that it meets, so it is asked again until nothing is left to refuse. */
function weaveWhatCompiles(
  sources: ReadonlyMap<string, string>,
  files: readonly SourceFile[],
  all: readonly Mutant[],
): Schema {
  const refused = new Map<number, string>();
  for (;;) {
    const mutants = all.filter(({ id }) => !refused.has(id));
    const woven = new Map(files.map((file) => [file.path, weave(file, mutants)]));
    const texts = [...woven].map(([path, { text }]): [string, string] => [path, fromBytes(text)]);
    const schema = new Map([...sources, ...texts, [SWITCH_PATH, SWITCH_SOURCE] as const]);
    const errors = errorsOf(compile(schema, TREES));
    if (errors.length === 0) {
      const list = all.flatMap((mutant) => {
        const why = refused.get(mutant.id);
        return why === undefined ? [] : [{ mutant, why }];
      });
      return { sources: schema, mutants, refused: list };
    }
    for (const { id, message } of errors.map((error) => blame(error, woven))) refused.set(id, message);
  }
}

type CompilerError = NonNullable<Compilation["errors"]>[number];

/** The mutant in whose part an error is; the first one within, where the error is in what they are part of. */
function blame(error: CompilerError, woven: ReadonlyMap<string, Woven>): { id: number; message: string } {
  const { file, start, end } = error.sourceLocation ?? { file: "", start: 0, end: 0 };
  const spans = woven.get(file)?.spans ?? [];
  const span =
    spans.find((one) => one.start <= start && start < one.end) ??
    spans.find((one) => start <= one.start && one.start < end);
  if (!span) throw new Error(`No mutant is to blame for what the compiler says.\n${error.formattedMessage}`);
  return { id: span.id, message: error.formattedMessage.split("\n")[0] ?? "" };
}
