import { parseSiweMessage } from "viem/siwe";
import { expect, test } from "vitest";
import { messageOf, statementOf } from "../../app/features/connect/signIn.ts";
import { PURPOSES } from "../../protocol/terms.ts";

const signIn = {
  gateway: {
    base: "http://localhost:5173",
    publicOrigin: "https://riverside.example",
    name: "Hôpital Saint-Éloi",
  },
  address: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  chainId: 31337,
  purpose: "TREAT",
} as const;

test("the signed message names the site, the gateway, the chain, one nonce and one purpose", () => {
  const at = new Date("2026-11-22T10:30:00.000Z");
  const message = messageOf(signIn, { nonce: "0123456789abcdef", domain: "127.0.0.1:8080", at });
  expect(parseSiweMessage(message)).toEqual({
    domain: "127.0.0.1:8080",
    address: signIn.address,
    statement: statementOf(signIn),
    uri: "https://riverside.example",
    version: "1",
    chainId: 31337,
    nonce: "0123456789abcdef",
    issuedAt: at,
    resources: ["urn:examkey:purpose:TREAT"],
  });
});

test.each(PURPOSES)("the statement for %s is one line of characters that EIP-4361 allows", (purpose) => {
  const statement = statementOf({ ...signIn, purpose });
  expect(statement).toMatch(/^[\x20-\x7e]+$/);
  expect(statement).toContain("Hopital Saint-Eloi");
});

test("statements for two purposes differ, so that nobody signs one for the other", () => {
  expect(new Set(PURPOSES.map((purpose) => statementOf({ ...signIn, purpose }))).size).toBe(PURPOSES.length);
});
