/** One part of a multipart body: whatever the chunks, and whatever the content, it comes out as it went in. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MultipartError, MultipartWriter } from "../../gateway/archive/multipart.ts";
import { OnePart } from "../../gateway/archive/onePart.ts";

/** The content that comes out of a body that comes in chunks of `size` bytes. */
function read(body: string | Buffer, boundary = "b", size = 7): { part: OnePart; content: Buffer } {
  const part = new OnePart(boundary);
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const contents: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) contents.push(...part.take(bytes.subarray(at, at + size)));
  part.end();
  return { part, content: Buffer.concat(contents) };
}

test("comes out as it went in, for any content and any chunks, whether it says how long it is or not", () => {
  const tricky = fc.constantFrom("\r", "\n", "\r\n", "-", "--", "\r\n--", "examkey-", "\0", "x");
  const content = fc.array(tricky, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join(""), "latin1"));
  fc.assert(
    fc.property(content, fc.boolean(), fc.integer({ min: 1, max: 50 }), (given, tells, size) => {
      const writer = new MultipartWriter();
      const headers = { "Content-Type": "a/b", ...(tells && { "Content-Length": String(given.length) }) };
      const body = Buffer.concat([writer.head(headers), given, writer.tail()]);
      const { part, content } = read(body, writer.boundary, size);
      expect(content).toEqual(given);
      expect(part.headers?.get("content-type")).toBe("a/b");
      expect(part.length).toBe(tells ? given.length : null);
    }),
  );
});

test("may stand behind a preamble, and before other parts, which are left out", () => {
  const body = "ignored\r\n--b \t\r\n\r\none\r\n--b\r\nA: 1\r\n\r\ntwo\r\n--b--\r\nignored";
  expect(read(body).content.toString()).toBe("one");
});

test("takes a longer line that begins as the boundary does for content", () => {
  expect(read("--b\r\n\r\none\r\n--bc\r\ntwo\r\n--b--").content.toString()).toBe("one\r\n--bc\r\ntwo");
});

test.each([
  ["ends too early", "--b\r\n\r\none"],
  ["ends before what it says", "--b\r\nContent-Length: 9\r\n\r\none"],
  ["is shorter than it says", "--b\r\nContent-Length: 9\r\n\r\none\r\n--b--\r\n\r\n\r\n"],
  ["is longer than it says", "--b\r\nContent-Length: 2\r\n\r\none\r\n--b--\r\n"],
  ["has no end of its header", `--b\r\nA: ${"x".repeat(100_000)}`],
  ["has no part", "--b--\r\n\r\n"],
  ["has no boundary", "nothing of the kind"],
])("is refused where the body %s", (_, body) => {
  expect(() => read(body)).toThrow(MultipartError);
});
