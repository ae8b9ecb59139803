/** The way from a script to a running gateway's admin API, and how scripts speak with people. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { getAddress } from "ethers";
import type { z } from "zod";
import { adminKeySchema, type Progress, problemLineSchema, progressSchema } from "../protocol/adminApi.ts";
import { problemSchema } from "../protocol/api.ts";
import { ROOT } from "./checks/program.ts";
import { CALLED_FROM, UsageError } from "./usage.ts";

/** What was asked for cannot be done; the message says why. */
export class DeskError extends Error {
  override readonly name = "DeskError";
}

/** A running gateway's admin API. */
export class Desk {
  readonly #url: string;
  readonly #token: string;

  private constructor({ url, token }: z.infer<typeof adminKeySchema>) {
    this.#url = url;
    this.#token = token;
  }

  /**
   * The gateway that keeps its data in a folder, or in one of the folders in it.
   * @throws {DeskError} where none is running, or more than one
   */
  static find(folder: string | undefined): Desk {
    const base = folder === undefined ? join(ROOT, ".examkey") : resolve(CALLED_FROM, folder);
    const inside = existsSync(join(base, "admin.json"))
      ? ["admin.json"]
      : globSync("*/admin.json", { cwd: base });
    if (inside.length > 1) {
      const folders = inside.map((path) => join(base, path, "..")).join(", ");
      throw new DeskError(`More than one gateway keeps its data here. Name one with --data: ${folders}`);
    }
    if (!inside[0]) {
      throw new DeskError(
        `No gateway is running with its data in ${base}. Start it (npm start), or name its folder with --data.`,
      );
    }
    return new Desk(adminKeySchema.parse(JSON.parse(readFileSync(join(base, inside[0]), "utf8"))));
  }

  /** A JSON answer. @throws {DeskError} with the gateway's reason */
  async ask(path: string, body?: unknown): Promise<unknown> {
    return (await this.#send(path, body)).json();
  }

  /** A DICOM file to store. @throws {DeskError} with the gateway's reason */
  async store(file: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const answer = await this.#fetch("/instances", "POST", { "content-type": "application/dicom" }, file);
    return answer.json();
  }

  /** The steps of a registration, as they come. @throws {DeskError} with the gateway's reason */
  async *follow(path: string, body: unknown = {}): AsyncGenerator<Progress> {
    for await (const line of this.lines(path, body)) yield progressSchema.parse(line);
  }

  /** The documents of a long answer, as they come. @throws {DeskError} with the gateway's reason */
  async *lines(path: string, body: unknown): AsyncGenerator<unknown> {
    const { body: stream } = await this.#send(path, body);
    if (!stream) return;
    let rest = "";
    for await (const chunk of untilBrokenOff(stream.pipeThrough(new TextDecoderStream()))) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield documentOf(line);
    }
  }

  #send(path: string, body: unknown): Promise<Response> {
    if (body === undefined) return this.#fetch(path, "GET", {});
    return this.#fetch(path, "POST", { "content-type": "application/json" }, JSON.stringify(body));
  }

  async #fetch(
    path: string,
    method: string,
    headers: Record<string, string>,
    body?: BodyInit,
  ): Promise<Response> {
    const authorized = { ...headers, authorization: `Bearer ${this.#token}` };
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: authorized,
      body: body ?? null,
    }).catch((cause: unknown) => {
      throw new DeskError("The gateway does not answer. Was it stopped? Start it again (npm start).", {
        cause,
      });
    });
    if (!answer.ok) throw new DeskError(problemSchema.parse(await answer.json()).detail);
    return answer;
  }
}

/** A stream's pieces. @throws {DeskError} where its sender goes away in the middle */
async function* untilBrokenOff(text: ReadableStream<string>): AsyncGenerator<string> {
  try {
    yield* text;
  } catch (cause) {
    throw new DeskError("The gateway broke off. Start it, and run the same again.", {
      cause,
    });
  }
}

function documentOf(line: string): unknown {
  const document: unknown = JSON.parse(line);
  const problem = problemLineSchema.safeParse(document);
  if (problem.success) throw new DeskError(problem.data.problem.detail);
  return document;
}

/** An address that a person typed, with its checksum. @throws {UsageError} */
export function readAddress(option: string, text: string | undefined): string {
  if (text === undefined)
    throw new UsageError(`--${option} is missing: the wallet's address, 0x and 40 digits.`);
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new UsageError(
      `--${option}: "${text}" is not an address. Copy it from the wallet: 0x and 40 digits.`,
    );
  }
  try {
    return getAddress(text);
  } catch {
    throw new UsageError(
      `--${option}: "${text}" is not an address as it was made: a digit is wrong. Copy it again.`,
    );
  }
}

/** Ask a person to confirm; anything but yes is no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: ended(terminal) });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}

/** Input that ends without an answer is a no, not a wait for ever. */
function ended(terminal: ReturnType<typeof createInterface>): AbortSignal {
  const controller = new AbortController();
  terminal.once("close", () => controller.abort());
  return controller.signal;
}

/** `1 exam`, `2 exams`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** Run a script: what is the person's to mend is one line and a non-zero exit, never a trace. */
export async function runScript(script: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await script();
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof DeskError;
    console.error(isExpected || !process.env.DEBUG ? (error as Error).message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
