import { createHmac } from "node:crypto";
import { exportSPKI, generateKeyPair } from "jose";
import { hashMessage, serializeErc6492Signature } from "viem";
import { createSiweMessage } from "viem/siwe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reasonOf, SAMPLE_PATIENTS, World } from "../world.ts";
import { claimsOf, forge, SECRET } from "./forge.ts";

const ALLOWED_ORIGIN = "https://app.example.org";

let world: World;

beforeAll(async () => {
  world = await World.open({ environment: { SESSION_SECRET: SECRET, ALLOWED_ORIGINS: ALLOWED_ORIGIN } });
});

afterAll(() => world.close());

/** Wraps a key's address in ERC-6492, with the identity precompile for a factory: it succeeds, and deploys nothing. */
const YES_TO_ALL = serializeErc6492Signature({
  address: "0x0000000000000000000000000000000000000004",
  data: "0x1626ba7e",
  signature: "0x1626ba7e",
});

const minutes = (count: number) => new Date(Date.now() + count * 60_000);

describe("signing in (EIP-4361)", () => {
  test("gives a bearer token for fifteen minutes", async () => {
    const answer = await world.trySignIn(world.people.patient);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    const token = (await answer.json()) as Record<string, unknown>;
    expect(token).toMatchObject({ token_type: "Bearer", expires_in: 900 });
    const me = await world.get("/me", { token: String(token.access_token) });
    expect(await me.json()).toMatchObject({ address: world.people.patient.address, isPatient: false });
  });

  test("takes messages made at an allowed origin, and at this machine's other name", async () => {
    const { port } = new URL(world.gateway.url);
    for (const domain of [new URL(ALLOWED_ORIGIN).host, `localhost:${port}`]) {
      expect((await world.trySignIn(world.people.patient, { domain })).status).toBe(200);
    }
  });

  test.each([
    ["another site's message", { domain: "evil.example.org" }, "401 wrong-domain"],
    ["a message of this host by another scheme", { scheme: "https" }, "401 wrong-domain"],
    ["a message for another gateway", { uri: "https://gateway.example.org" }, "401 wrong-uri"],
    ["a message for another chain", { chainId: 1 }, "401 wrong-chain"],
    ["a message signed six minutes ago", { issuedAt: minutes(-6) }, "401 message-expired"],
    ["a message from the future", { issuedAt: minutes(5) }, "401 message-expired"],
    ["a message past its expiration time", { expirationTime: minutes(-1) }, "401 message-expired"],
    ["a message before its time", { notBefore: minutes(2) }, "401 message-expired"],
    ["a nonce that nobody gave", { nonce: "0123456789abcdef0123456789abcdef" }, "401 nonce-unknown"],
    ["a message without a purpose", { resources: [] }, "400 message-malformed"],
    ["a purpose that does not exist", { resources: ["urn:examkey:purpose:FUN"] }, "400 message-malformed"],
    [
      "two purposes at once",
      { resources: ["urn:examkey:purpose:TREAT", "urn:examkey:purpose:HRESCH"] },
      "400 message-malformed",
    ],
  ])("refuses %s", async (_name, bent, refusal) => {
    expect(await reasonOf(await world.trySignIn(world.people.patient, bent))).toBe(refusal);
  });

  test.each<[string, (message: string) => string]>([
    ["a second set of fields", (message) => message.replace(/\n\nURI:(.*)/s, "\n\nURI:$1\n\nURI:$1")],
    ["text after the statement", (message) => message.replace("\n\nURI:", "\n\nHello\n\nURI:")],
    ["text after its end", (message) => `${message}\n\nHello`],
    ["no blank line before its fields", (message) => message.replace("\n\nURI:", "\nURI:")],
  ])("refuses a message with %s, which no wallet takes for a sign-in", async (_name, bend) => {
    const { patient } = world.people;
    const message = bend(createSiweMessage(await world.messageFields(patient.address)));
    const signature = await patient.signMessage(message);
    expect(await reasonOf(await world.post("/auth/token", { message, signature }))).toBe(
      "400 message-malformed",
    );
  });

  test("refuses a message that was used before", async () => {
    const { nonce } = await world.messageFields(world.people.patient.address);
    expect((await world.trySignIn(world.people.patient, { nonce })).status).toBe(200);
    expect(await reasonOf(await world.trySignIn(world.people.patient, { nonce }))).toBe("401 nonce-unknown");
  });

  test("takes a message once, however many send it at the same time", async () => {
    const { patient } = world.people;
    const message = createSiweMessage(await world.messageFields(patient.address));
    const signature = await patient.signMessage(message);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => world.post("/auth/token", { message, signature })),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test.each([
    ["of another secret", "0".repeat(32)],
    ["that has run out", ""],
  ])("refuses a nonce %s", async (_name, mark) => {
    const { nonce } = await world.messageFields(world.people.patient.address);
    const past = (Math.floor(Date.now() / 1000) - 1).toString(16);
    const bent = mark === "" ? `${past}${nonce.slice(8)}` : `${nonce.slice(0, -32)}${mark}`;
    expect(await reasonOf(await world.trySignIn(world.people.patient, { nonce: bent }))).toBe(
      "401 nonce-unknown",
    );
  });

  test.each<[string, (message: string) => Promise<string>]>([
    ["somebody else's", (message) => world.people.stranger.signMessage(message)],
    ["of another message", (message) => world.people.patient.signMessage(`${message} `)],
    ["of the message's digest", (message) => world.people.patient.signMessage(hashMessage(message))],
    ["too short", async (message) => (await world.people.patient.signMessage(message)).slice(0, -2)],
    ["of zeros", async () => `0x${"00".repeat(65)}`],
    ["as a counterfactual wallet's, of a factory that says yes", async () => YES_TO_ALL],
  ])("refuses a signature that is %s", async (_name, sign) => {
    const { address } = world.people.patient;
    const message = createSiweMessage(await world.messageFields(address));
    const answer = await world.post("/auth/token", { message, signature: await sign(message) });
    expect(await reasonOf(answer)).toBe("401 signature-invalid");
  });

  test.each([
    ["no body", undefined],
    ["no message", { signature: "0x00" }],
    ["a signature that is no hexadecimal", { message: "hello", signature: "yes" }],
  ])("refuses %s", async (_name, body) => {
    expect(await reasonOf(await world.post("/auth/token", body))).toBe("400 malformed-request");
  });

  test("refuses what is no EIP-4361 message, and what is too long to be one", async () => {
    expect(await reasonOf(await world.post("/auth/token", { message: "hello", signature: "0x00" }))).toBe(
      "400 message-malformed",
    );
    const long = { message: "a".repeat(100_000), signature: "0x00" };
    expect(await reasonOf(await world.post("/auth/token", long))).toBe("413 too-large");
  });
});

describe("a token", () => {
  const hour = 3600;
  const ago = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

  test("opens when it is right, so that the refusals below are for what is wrong with each", async () => {
    expect((await world.get("/me", { token: await forge(world) })).status).toBe(200);
  });

  test.each([
    ["expired", { exp: ago(1) }, "401 token-expired"],
    ["of another gateway", { iss: "https://gateway.example.org" }, "401 token-foreign-gateway"],
    ["for another chain", { chain_id: 1 }, "401 token-foreign-chain"],
    ["for a chain begun anew", { genesis_hash: `0x${"00".repeat(32)}` }, "401 token-foreign-chain"],
    [
      "for one exam, which only a viewer token is",
      { exam_id: `0x${"00".repeat(32)}` },
      "401 token-malformed",
    ],
    ["without a purpose", { purpose: undefined }, "401 token-malformed"],
    ["for another audience", { aud: "https://gateway.example.org" }, "401 token-malformed"],
    ["of a session that is over", { exp: ago(1), auth_time: ago(8 * hour) }, "401 session-ended"],
  ])("that is %s opens nothing", async (_name, bent, refusal) => {
    const token = await forge(world, bent);
    for (const path of ["/me", "/exams", "/grants", "/people", "/dicomweb/studies"]) {
      expect(await reasonOf(await world.get(path, { token }))).toBe(refusal);
    }
  });

  const base64url = (text: string) => Buffer.from(text).toString("base64url");
  /** A token with a header of any kind, and a signature of any kind. */
  const assemble = async (header: object, sign: (text: string) => string) => {
    const text = [header, await claimsOf(world)].map((part) => base64url(JSON.stringify(part))).join(".");
    return `${text}.${sign(text)}`;
  };
  const hmac = (key: string) => (text: string) => createHmac("sha256", key).update(text).digest("base64url");

  test.each<[string, () => Promise<string>]>([
    ["another key", () => forge(world, {}, { key: `${SECRET}?` })],
    ["an empty key", () => assemble({ alg: "HS256", typ: "at+jwt" }, hmac(""))],
    ["a longer digest", () => forge(world, {}, { key: SECRET.padEnd(64), header: { alg: "HS512" } })],
    ["nothing", () => assemble({ alg: "none", typ: "at+jwt" }, () => "")],
    ["nothing, spelled otherwise", () => assemble({ alg: "nOnE", typ: "at+jwt" }, () => "")],
    ["nothing, named HS256", () => assemble({ alg: "HS256", typ: "at+jwt" }, () => "")],
    ["the secret, named RS256", () => assemble({ alg: "RS256", typ: "at+jwt" }, hmac(SECRET))],
    ["no algorithm named", () => assemble({ typ: "at+jwt" }, hmac(SECRET))],
    ["the secret, as another kind of token", () => assemble({ alg: "HS256", typ: "JWT" }, hmac(SECRET))],
    ["the secret, as no kind of token", () => assemble({ alg: "HS256" }, hmac(SECRET))],
    [
      "an extension that must be understood",
      () => assemble({ alg: "HS256", typ: "at+jwt", crit: ["b64"], b64: false }, hmac(SECRET)),
    ],
  ])("signed with %s opens nothing", async (_name, make) => {
    expect(await reasonOf(await world.get("/me", { token: await make() }))).toBe("401 token-malformed");
  });

  test.each(["RS256", "PS256", "ES256", "EdDSA"])(
    "signed by %s, with a key that it brings along or that is public, opens nothing",
    async (alg) => {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const signed = (header: object) => forge(world, {}, { key: privateKey, header: { alg, ...header } });
      const spki = await exportSPKI(publicKey);
      for (const token of [
        await signed({}),
        await signed({ jwk: await crypto.subtle.exportKey("jwk", publicKey as CryptoKey) }),
        await signed({ kid: "../../../dev/null", jku: "https://evil.example.org/keys" }),
        await assemble({ alg: "HS256", typ: "at+jwt" }, hmac(spki)),
      ]) {
        expect(await reasonOf(await world.get("/me", { token }))).toBe("401 token-malformed");
      }
    },
  );

  test.each(["", "x.y.z", "..", "a".repeat(4_000)])("that is %j opens nothing", async (token) => {
    const answer = await world.get("/me", undefined, { authorization: `Bearer ${token}` });
    expect(await reasonOf(answer)).toBe("401 token-malformed");
  });

  test("is asked for where none is sent, with a challenge (RFC 6750)", async () => {
    const answer = await world.get("/exams");
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(await reasonOf(answer)).toBe("401 token-missing");
    const basic = await world.get("/exams", undefined, { authorization: "Basic YTpi" });
    expect(await reasonOf(basic)).toBe("401 token-malformed");
  });

  test("is renewed without the wallet until eight hours after the signature", async () => {
    const renew = (token: string) =>
      world.post("/auth/renew", undefined, { authorization: `Bearer ${token}` });
    const renewed = (await (await renew(await world.signIn("patient"))).json()) as { access_token: string };
    expect((await world.get("/me", { token: renewed.access_token })).status).toBe(200);

    const late = await renew(await forge(world, { auth_time: ago(8 * hour - 60) }));
    const { expires_in } = (await late.json()) as { expires_in: number };
    expect(expires_in).toBeLessThanOrEqual(60);

    expect(await reasonOf(await renew(await forge(world, { auth_time: ago(8 * hour + 1) })))).toBe(
      "401 session-ended",
    );
    expect(await reasonOf(await renew(await forge(world, { exp: ago(1) })))).toBe("401 token-expired");
  });

  test("ends the watch that it opened when it runs out, so that a viewer comes back with a renewed one", async () => {
    await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
    const [exam] = await world.examsOf("otherPatient");
    const token = await forge(world, {
      sub: world.people.otherPatient.address.toLowerCase(),
      exp: Math.floor(Date.now() / 1000) + 3,
    });
    const stream = await (await world.get(`/exams/${exam?.examId}/watch`, { token })).text();
    expect(stream).toMatch(/^event: permitted\n/);
    expect(stream).toMatch(/event: ended\ndata: .*"reason":"token-expired"/);
  });
});

describe("calls from pages", () => {
  test("are allowed from allowed origins, and from no others", async () => {
    const ask = (origin: string) => world.get("/.well-known/examkey", undefined, { origin });
    expect((await ask(ALLOWED_ORIGIN)).headers.get("access-control-allow-origin")).toBe(ALLOWED_ORIGIN);
    expect((await ask("https://evil.example.org")).headers.get("access-control-allow-origin")).toBeNull();
  });
});
