import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, environmentSchema, readConfig } from "../../gateway/config.ts";

const environment = {
  CONSENT_LEDGER: `0x${"1".repeat(40)}`,
  CUSTODIAN_REGISTRY: `0x${"2".repeat(40)}`,
  CUSTODIAN: `0x${"3".repeat(40)}`,
  OPERATOR_KEY: `0x${"4".repeat(64)}`,
  DICOMWEB_URL: "http://127.0.0.1:8042/dicom-web",
};

test("an RPC endpoint elsewhere, which may hold a key, is told to browsers only where it is named for them", () => {
  const remote = { ...environment, RPC_URL: "https://rpc.example.org/v1/secret" };
  expect(() => readConfig(remote)).toThrow(ConfigError);
  expect(() => readConfig(remote)).toThrow(/^PUBLIC_RPC_URL: is not set/);
  const named = readConfig({ ...remote, PUBLIC_RPC_URL: "https://rpc.example.org" });
  expect(named.publicRpcUrl).toBe("https://rpc.example.org");
  expect(readConfig({ ...environment, RPC_URL: "http://127.0.0.1:8545" }).publicRpcUrl).toBe(
    "http://127.0.0.1:8545",
  );
});

test("the relay's key is no other key of the gateway's", () => {
  const { OPERATOR_KEY } = environment;
  expect(() => readConfig({ ...environment, RELAY_KEY: OPERATOR_KEY })).toThrow(/^RELAY_KEY: /);
  expect(readConfig({ ...environment, RELAY_KEY: `0x${"5".repeat(64)}` }).relayKey).not.toBeNull();
  expect(readConfig(environment).relayKey).toBeNull();
});

test("proxies are named one by one or by range, and nothing else passes for one", () => {
  const { trustedProxies } = readConfig({ ...environment, TRUST_PROXY: "10.1.0.0/16, ::1,192.0.2.7" });
  expect(trustedProxies).toEqual(["10.1.0.0/16", "::1", "192.0.2.7"]);
  for (const wrong of [
    "true",
    "1",
    "0.0.0.0/0",
    "10.1.0.0/33",
    "::/129",
    "10.1.0.0/16/8",
    "proxy.example.org",
  ]) {
    expect(() => readConfig({ ...environment, TRUST_PROXY: wrong })).toThrow(/^TRUST_PROXY: not an address/);
  }
});

describe("the table in docs/operations.md", () => {
  const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const table = /\| variable \| meaning \| default \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/.exec(page)?.[1] ?? "";
  const rows = table
    .trim()
    .split("\n")
    .map((row) => row.split("|").map((cell) => cell.trim()))
    .map(([, names = "", , value = ""]) => ({
      names: [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = ""]) => name),
      defaults: [...value.matchAll(/`([^`]*)`/g)].map(([, text = ""]) => text),
    }));

  test("names every variable, once, and no other", () => {
    const named = rows.flatMap(({ names }) => names);
    expect(named.toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted());
  });

  const withDefault = Object.entries(environmentSchema.shape).flatMap(([name, schema]) => {
    const { data } = schema.safeParse(undefined);
    return data === undefined || data === "" ? [] : [[name, String(data)] as const];
  });

  test.each(withDefault)("says the default of %s: %s", (name, value) => {
    const row = rows.find(({ names }) => names.includes(name));
    expect(row?.defaults).toContain(value);
  });
});
