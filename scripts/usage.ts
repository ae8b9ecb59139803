import { type ParseArgsConfig, parseArgs } from "node:util";

/** What the person typed cannot be done; the message says what would be. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Run a command for developers: what they typed wrong is one line; all else is a fault, and keeps its trace. */
export async function runCommand(command: () => void | Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/** Where the person stood who ran a command: npm runs its scripts in the project's root. */
export const CALLED_FROM = process.env.EXAMKEY_FROM ?? process.cwd();

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The known word that somebody who typed `word` most likely meant, or undefined. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, far: distance(word, name) }))
    .filter(({ name, far }) => far <= Math.max(2, name.length / 3))
    .sort((a, b) => a.far - b.far);
  return best?.name;
}

/** `parseArgs` over our own arguments, whose complaints are UsageErrors with a hint. */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("ERR_PARSE_ARGS")) throw error;
    const option = message.match(/^Unknown option '-+([^']*)'/)?.[1];
    if (option === undefined)
      throw new UsageError(`${message.split(". ")[0]}. \`--help\` lists the options.`);
    const meant = nearest(option, Object.keys(config.options ?? {}));
    const hint = meant ? `did you mean --${meant}?` : "`--help` lists the options.";
    throw new UsageError(`There is no option --${option}: ${hint}`);
  }
}
