/** Readers who all read at once, in a process of their own: the chain is in the test's, and must go on. */
import { once } from "node:events";
import { Client } from "undici";

/** One token for each reader; paths of frames below the gateway's URL, of which the n-th is all bytes n. */
export type Reading = {
  url: string;
  tokens: string[];
  frames: string[];
  /** Bytes of one frame. */
  length: number;
  seconds: number;
  /** On a slow machine they go on until they had so many frames each, on average. */
  leastEach: number;
};

/** What one reader got: frames, and whatever was not a whole one. */
export type Served = { frames: number; faults: string[] };

/** One frame after the other, over a connection of the reader's own. */
async function readFrames(reading: Reading, reader: number, goesOn: () => boolean): Promise<Served> {
  const served: Served = { frames: 0, faults: [] };
  const client = new Client(reading.url);
  for (let next = reader; goesOn(); next += 1) {
    const fault = await faultOfFrame(client, reading, reader, next % reading.frames.length);
    if (fault === null) served.frames += 1;
    else served.faults.push(fault);
  }
  await client.close();
  return served;
}

/** Null where the frame comes whole, each of its bytes being its number. */
async function faultOfFrame(
  client: Client,
  { tokens, frames, length }: Reading,
  reader: number,
  frame: number,
): Promise<string | null> {
  const accept = "application/octet-stream; transfer-syntax=*";
  const headers = { accept, authorization: `Bearer ${tokens[reader]}` };
  try {
    const { statusCode, body } = await client.request({ method: "GET", path: frames[frame] ?? "", headers });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) return `${statusCode} ${bytes}`;
    return bytes.equals(Buffer.alloc(length, frame)) ? null : `another frame than ${frame}`;
  } catch (error) {
    return String(error);
  }
}

const [reading] = (await once(process, "message")) as [Reading];
const end = performance.now() + reading.seconds * 1_000;
let asked = 0;
const goesOn = () => {
  asked += 1;
  return performance.now() < end || asked <= reading.leastEach * reading.tokens.length;
};
const served = await Promise.all(reading.tokens.map((_, reader) => readFrames(reading, reader, goesOn)));
process.send?.(served, () => process.disconnect());
