import { expect, test } from "vitest";
import { ConfigError, readConfig } from "../../gateway/config.ts";

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
