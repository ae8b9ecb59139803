import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { askJson, belongsTo, mismatchOf } from "../../app/api/index.ts";
import type { Discovery } from "../../protocol/api.ts";

const home: Discovery = {
  name: "Riverside",
  version: "0.1.0",
  chainId: 31337,
  genesisHash: `0x${"1".repeat(64)}`,
  contracts: {
    consentLedger: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
    custodianRegistry: "0x5FC8d32690cc91D4c39d9d3abcBD16989F875707",
    accessLog: null,
    emergencyAccess: null,
  },
  custodian: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  dicomwebRoot: "https://riverside.example/dicomweb",
  rpcUrl: "https://rpc.example",
  chainName: "Example",
  relay: false,
};
const stranger = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const expected = { custodian: home.custodian, url: "https://riverside.example" };

describe("a gateway is used only if", () => {
  test("it stands on the same chain and ledger, for the custodian and at the address of the registry", () => {
    expect(mismatchOf(home, home, expected)).toBeNull();
    const lowerCase = { ...home, custodian: home.custodian.toLowerCase() };
    expect(mismatchOf(lowerCase, home, expected)).toBeNull();
  });

  test.each<[string, Partial<Discovery>, string]>([
    ["another chain", { chainId: 1 }, "other-chain"],
    ["another chain of the same id", { genesisHash: `0x${"2".repeat(64)}` }, "other-chain"],
    ["another ledger", { contracts: { ...home.contracts, consentLedger: stranger } }, "other-ledger"],
    ["another custodian", { custodian: stranger }, "other-custodian"],
    ["another place for the images", { dicomwebRoot: "https://evil.example/dicomweb" }, "other-address"],
  ])("it does not name %s", (_, difference, mismatch) => {
    expect(mismatchOf({ ...home, ...difference }, home, expected)).toBe(mismatch);
  });
});

test("a token goes to its own gateway alone, whatever URL an answer names", () => {
  const gateway = { base: "https://riverside.example/gw", publicOrigin: "https://riverside.example" };
  expect(belongsTo(gateway, "https://riverside.example/dicomweb/studies/1/rendered")).toBe(true);
  for (const url of [
    "https://riverside.example.evil.example/x",
    "http://riverside.example/x",
    "https://riverside.example:8443/x",
    "https://riverside.example@evil.example/x",
  ]) {
    expect(belongsTo(gateway, url)).toBe(false);
  }
});

describe("an answer", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
    const server = createServer((_, response) => response.writeHead(status, headers).end(body));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  const schema = z.object({ nonce: z.string() });
  const problem = { type: "urn:x", title: "t", status: 403, detail: "d", reason: "revoked" };

  test("that fits its schema is given", async () => {
    expect(await askJson(await serve(200, '{"nonce":"abc"}'), schema)).toEqual({ nonce: "abc" });
  });

  test.each<[string, number, string, Record<string, string>, string]>([
    ["of another shape", 200, '{"nonce":1}', {}, "answer-not-understood"],
    ["that is no JSON", 200, "<html>", {}, "answer-not-understood"],
    ["that refuses", 403, JSON.stringify(problem), {}, "revoked"],
    ["that refuses without saying why", 404, "nothing", {}, "answer-not-understood"],
    ["from a proxy whose gateway is gone", 502, "<html>", {}, "gateway-unreachable"],
    ["that sends the token elsewhere", 302, "", { location: "https://evil.example/" }, "gateway-unreachable"],
  ])("%s is a refusal that has a reason", async (_, status, body, headers, reason) => {
    const asked = askJson(await serve(status, body, headers), schema, { token: "secret" });
    await expect(asked).rejects.toMatchObject({ name: "GatewayError", problem: { reason } });
  });

  test("that never comes says that the gateway cannot be reached; one that was called off does not", async () => {
    const url = await serve(200, "{}");
    servers.splice(0).forEach((server) => {
      server.close();
    });
    await expect(askJson(url, schema)).rejects.toMatchObject({ problem: { reason: "gateway-unreachable" } });
    const controller = new AbortController();
    controller.abort();
    await expect(askJson(url, schema, { signal: controller.signal })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});
