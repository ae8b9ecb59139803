/** Under which address an answer speaks of the gateway: as a trusted proxy says, and nobody else. */
import type { IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { type DicomDataset, stringOf } from "../../gateway/archive/dicomJson.ts";
import { TrustedProxies } from "../../gateway/forwarded.ts";
import { SAMPLE_PATIENTS, World } from "../world.ts";

const OWN = "https://gateway.example:8443/exams";

describe("Forwarded (RFC 7239)", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
  const urlFor = (
    forwarded: string | undefined,
    remoteAddress = "10.1.2.3",
    more: IncomingHttpHeaders = {},
  ) => {
    const headers = { ...more, ...(forwarded !== undefined && { forwarded }) };
    const raw = { socket: { remoteAddress }, headers };
    return proxies.urlFor({ raw } as unknown as Parameters<TrustedProxies["urlFor"]>[0], OWN);
  };

  it.each([
    ["host=pacs.example;proto=http", "http://pacs.example/exams"],
    ["host=pacs.example", "https://pacs.example/exams"],
    ['for=203.0.113.9;host="pacs.example:8080";proto=HTTPS', "https://pacs.example:8080/exams"],
    ["host=pacs.example:8080;proto=http", "http://pacs.example:8080/exams"],
    ['Host="[2001:db8::1]:8080";Proto=http', "http://[2001:db8::1]:8080/exams"],
    ["host=evil.example;proto=http, for=203.0.113.9;host=pacs.example", "https://pacs.example/exams"],
    ["for=203.0.113.9;host=outer.example, for=10.9.9.9;host=inner.example", "https://outer.example/exams"],
    ['for=x;host=outer.example, for="[2001:db8::9]:443";host=inner.example', "https://outer.example/exams"],
    ["host=evil.example, for=203.0.113.9, for=192.0.2.7;host=inner.example", OWN],
    ["host=evil.example, for=_hidden;host=inner.example", "https://inner.example/exams"],
    ["host=evil.example, for=unknown;host=inner.example", "https://inner.example/exams"],
    [" , ;host=pacs.example; ,", "https://pacs.example/exams"],
  ])("%s from a trusted proxy is %s", (forwarded, url) => {
    expect(urlFor(forwarded)).toBe(url);
  });

  it.each([
    undefined,
    "",
    "proto=http",
    "host=",
    "host=a;host=b",
    "host=pacs.example;proto=ftp",
    "host=pacs.example;proto=javascript",
    "host=pacs.example:99999",
    'host="user@pacs.example"',
    'host="pacs.example/x"',
    'host="pacs.example?x"',
    'host="pacs.example#x"',
    'host="pacs.example\\\\x"',
    'host="pacs.example, pacs.example"',
    'host="pacs.example',
    "host=pacs.example x",
    `host=pacs.example${" ".repeat(16_000)}x`,
    `host=${"a".repeat(300)}`,
  ])("%s says nothing", (forwarded) => {
    expect(urlFor(forwarded)).toBe(OWN);
  });

  it("counts from trusted proxies alone", () => {
    for (const stranger of ["203.0.113.9", "192.0.2.8", "2001:db9::1", "::ffff:203.0.113.9"])
      expect(urlFor("host=pacs.example", stranger)).toBe(OWN);
    for (const trusted of ["192.0.2.7", "2001:db8::5", "::ffff:10.0.0.1"])
      expect(urlFor("host=pacs.example", trusted)).toBe("https://pacs.example/exams");
  });

  it("is the only header that counts", () => {
    const more = { host: "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" };
    expect(urlFor(undefined, "10.1.2.3", more)).toBe(OWN);
  });
});

describe("answers", () => {
  let world: World;

  beforeAll(async () => {
    world = await World.open({ environment: { TRUST_PROXY: "127.0.0.1" } });
    await world.enrol(SAMPLE_PATIENTS.angiogram, "patient");
  });
  afterAll(() => world.close());

  /** Every URL in the patient's searches and metadata, by where it begins. */
  async function rootsTold(headers: Record<string, string>): Promise<Set<string>> {
    const ask = async (path: string) =>
      (await (await world.get(`/dicomweb${path}`, "patient", headers)).json()) as DicomDataset[];
    const [study] = await ask("/studies");
    const [series] = await ask("/series");
    const path = `/studies/${stringOf(study ?? {}, "StudyInstanceUID")}`;
    const metadata = await ask(`${path}/metadata`);
    const text = JSON.stringify([study, series, metadata]);
    expect(text).toContain("BulkDataURI");
    return new Set(text.match(/https?:\/\/[^"\s]+/g)?.map((url) => url.replace(/\/studies\/.*/, "")));
  }

  test("speak of the gateway as the proxy was asked for it", async () => {
    expect(await rootsTold({ forwarded: "host=pacs.example;proto=https" })).toEqual(
      new Set(["https://pacs.example/dicomweb"]),
    );
    expect(await rootsTold({})).toEqual(new Set([`${world.gateway.url}/dicomweb`]));
  });

  test("take nobody else's word for it", async () => {
    await world.stopGateway();
    await world.startGateway({ TRUST_PROXY: "192.0.2.1" });
    const forged = { forwarded: "host=pacs.example;proto=https", "x-forwarded-host": "pacs.example" };
    expect(await rootsTold(forged)).toEqual(new Set([`${world.gateway.url}/dicomweb`]));
  });
});
