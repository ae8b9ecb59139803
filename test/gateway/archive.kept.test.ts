/** An archive that closes connections: in the moment that they are used again, or once it has sent everything. */
import { createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { ArchiveClient } from "../../gateway/archive/client.ts";
import { madeSample } from "../madeSample.ts";

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 2\r\n\r\n[]";
const HALF = ANSWER.slice(0, -1);

/**
 * An archive by its sockets.
 * @param answer what is sent for the request with that number, counted from 1; null closes its connection, as half an answer does
 */
async function archiveThat(answer: (number: number) => string | null) {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  const serve = (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      const method = /^(GET|POST) /.exec(String(bytes))?.[1];
      if (method === undefined) return;
      requests.push(method);
      const given = answer(requests.length);
      if (given === null) socket.destroy();
      else if (given === HALF) socket.end(given);
      else socket.write(given);
    });
  };
  const server = createServer(serve).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const archive = new ArchiveClient({ url: `http://127.0.0.1:${port}/` });
  onTestFinished(async () => {
    await archive.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const hangUp = () => {
    for (const socket of sockets) socket.end();
  };
  return { archive, requests, hangUp };
}

const search = { patientId: "1" };

test("is asked again, over another connection", async () => {
  const { archive, requests } = await archiveThat((number) => (number === 2 ? null : ANSWER));
  expect(await archive.searchStudies(search)).toEqual([]);
  expect(await archive.searchStudies(search)).toEqual([]);
  expect(requests).toEqual(["GET", "GET", "GET"]);
});

test("is asked four times at most, and told of then", async () => {
  const { archive, requests } = await archiveThat(() => null);
  await expect(archive.searchStudies(search)).rejects.toMatchObject({ reason: "archive-unavailable" });
  expect(requests).toHaveLength(4);
});

test("is not asked again once it has begun to answer", async () => {
  const { archive, requests } = await archiveThat(() => HALF);
  await expect(archive.searchStudies(search)).rejects.toMatchObject({ reason: "archive-unavailable" });
  expect(requests).toHaveLength(1);
});

test("is given a file to store once", async () => {
  const { archive, requests } = await archiveThat((number) => (number === 1 ? ANSWER : null));
  await archive.searchStudies(search);
  const stored = archive.store([await madeSample({})]);
  await expect(stored).rejects.toMatchObject({ reason: "archive-unavailable" });
  expect(requests).toEqual(["GET", "POST"]);
});

test("has sent everything to a slow reader when it closes", async () => {
  const length = 400_000;
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/dicom\r\nContent-Length: ${length}\r\n\r\n`;
  const { archive, hangUp } = await archiveThat(() => head + "x".repeat(length));
  const instance = { studyInstanceUid: "1.2", seriesInstanceUid: "1.3", sopInstanceUid: "1.4" };
  const file = await archive.retrieve(instance);
  let read = 0;
  for await (const chunk of file.bytes) {
    read += chunk.length;
    // All of it has come by then, and waits here: more than is taken ahead.
    await delay(100);
    hangUp();
    await delay(100);
  }
  expect(read).toBe(length);
});
