import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import Fastify from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import { type AdminContext, startAdminServer } from "../../gateway/enrolment/adminServer.ts";
import { placeEmptyDatabase } from "../emptyDatabase.ts";
import { reasonOf } from "../world.ts";

/** An admin API whose database is closed; the data folder is not there yet, as beside a PostgreSQL. */
async function withoutDatabase() {
  const folder = await mkdtemp(join(tmpdir(), "examkey-admin-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await placeEmptyDatabase(folder);
  const { database, close } = await openDatabase({ databaseUrl: null, dataDir: folder });
  await close();
  const lines: string[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      lines.push(String(line));
      done();
    },
  });
  const { log } = Fastify({ logger: { stream } });
  const dataDir = join(folder, "data");
  const context = { database, log, dataDir, unreadable: [] } as Partial<AdminContext> as AdminContext;
  const server = await startAdminServer(context);
  onTestFinished(() => server.close());
  return { server, dataDir, lines };
}

test("a query that fails is logged without what was in it", async () => {
  const { server, lines } = await withoutDatabase();
  const person = { address: `0x${"11".repeat(20)}`, name: "Amara Okafor", role: "Radiologist" };
  const answer = await fetch(`${server.url}/practitioners`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
    body: JSON.stringify(person),
  });
  expect(await reasonOf(answer)).toBe("503 database-unavailable");
  expect(lines.join("")).toContain("database-unavailable");
  for (const value of Object.values(person)) expect(lines.join("")).not.toContain(value);
});

test("the token is for this user's eyes alone", async () => {
  const { dataDir } = await withoutDatabase();
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect(await modeOf(dataDir)).toBe("700");
  expect(await modeOf(join(dataDir, "admin.json"))).toBe("600");
});
