/** Multipart bodies: whatever the chunks, and whatever the content, the parts come out as they went in. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MultipartError, MultipartWriter, readMultipart } from "../../gateway/archive/multipart.ts";

async function* inChunks(body: Uint8Array, size: number) {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

async function read(body: string | Uint8Array, boundary = "b", size = 7) {
  const parts: Array<{ headers: Record<string, string>; content: Buffer }> = [];
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  for await (const part of readMultipart(inChunks(bytes, size), boundary)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of part.bytes) chunks.push(chunk);
    parts.push({ headers: Object.fromEntries(part.headers), content: Buffer.concat(chunks) });
  }
  return parts;
}

describe("multipart bodies", () => {
  it("come out as they went in, for any content and any chunks", async () => {
    // Content made of the pieces of a delimiter is where a reader goes wrong.
    const tricky = fc.constantFrom("\r", "\n", "\r\n", "-", "--", "\r\n--", "examkey-", "\0", "x");
    const content = fc
      .array(tricky, { maxLength: 40 })
      .map((pieces) => Buffer.from(pieces.join(""), "latin1"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        async (contents, size) => {
          const writer = new MultipartWriter();
          const pieces = contents.flatMap((each) => [writer.head({ "Content-Type": "a/b" }), each]);
          const parts = await read(Buffer.concat([...pieces, writer.tail()]), writer.boundary, size);
          expect(parts.map((part) => part.content)).toEqual(contents);
          expect(parts.every(({ headers }) => headers["content-type"] === "a/b")).toBe(true);
        },
      ),
    );
  });

  it("may have a preamble, an epilogue, blanks after the boundary, and parts without headers", async () => {
    const body =
      "ignored\r\n--b \t\r\n\r\none\r\n--b\r\nA: 1\r\nContent-Type: x/y\r\n\r\ntwo\r\n--b--\r\nignored";
    expect(await read(body)).toEqual([
      { headers: {}, content: Buffer.from("one") },
      { headers: { a: "1", "content-type": "x/y" }, content: Buffer.from("two") },
    ]);
  });

  it("keep a line that only begins like the boundary", async () => {
    expect((await read("--b\r\n\r\n1\r\n--bb\r\n2\r\n--b--"))[0]?.content.toString()).toBe("1\r\n--bb\r\n2");
  });

  it("hold nothing when they are closed at once", async () => {
    expect(await read("--b--")).toEqual([]);
  });

  it.each([
    "",
    "--b",
    "--b\r\n",
    "--b\r\n\r\ncontent",
    "--b\r\n\r\ncontent\r\n",
    "--b\r\n\r\ncontent\r\n--b\r\n",
  ])("that end before their end are an error: %j", async (body) => {
    await expect(read(body)).rejects.toBeInstanceOf(MultipartError);
  });

  it("with an endless header are an error", async () => {
    await expect(read(`--b\r\nA: ${"x".repeat(20_000)}`, "b", 1024)).rejects.toBeInstanceOf(MultipartError);
  });

  it("skip what of a part is not read, and let go of the source when the reader stops", async () => {
    let released = false;
    async function* source() {
      try {
        yield* inChunks(Buffer.from("--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n\r\nthree\r\n--b--"), 4);
      } finally {
        released = true;
      }
    }
    const seen: string[] = [];
    for await (const part of readMultipart(source(), "b")) {
      if (seen.push("part") === 1) continue;
      for await (const chunk of part.bytes) seen.push(Buffer.from(chunk).toString());
      break;
    }
    expect(seen.join("")).toBe("partparttwo");
    expect(released).toBe(true);
  });
});
