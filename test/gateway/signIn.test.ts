import { SignJWT } from "jose";
import { createSiweMessage } from "viem/siwe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reasonOf, SAMPLE_PATIENTS, World } from "../world.ts";

const SECRET = "a secret that only this test and its gateway know";
const ALLOWED_ORIGIN = "https://app.example.org";

let world: World;

beforeAll(async () => {
  world = await World.open({ environment: { SESSION_SECRET: SECRET, ALLOWED_ORIGINS: ALLOWED_ORIGIN } });
});

afterAll(() => world.close());

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

  test("refuses somebody else's signature", async () => {
    const { patient, stranger } = world.people;
    const impostor = { address: patient.address, signMessage: stranger.signMessage.bind(stranger) };
    expect(await reasonOf(await world.trySignIn(impostor))).toBe("401 signature-invalid");
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
  /** A token like the gateway's own, but for what `bent` changes. */
  const forge = async (bent: Record<string, unknown>, secret = SECRET, alg = "HS256") => {
    const { genesisHash } = (await (await world.get("/.well-known/examkey")).json()) as {
      genesisHash: string;
    };
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: world.gateway.url,
      aud: world.gateway.url,
      sub: world.people.patient.address.toLowerCase(),
      jti: "forged",
      sid: "forged",
      iat: now,
      exp: now + 900,
      auth_time: now,
      chain_id: 31337,
      genesis_hash: genesisHash,
      purpose: "TREAT",
      ...bent,
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg, typ: "at+jwt" })
      .sign(new TextEncoder().encode(secret));
  };
  const hour = 3600;
  const ago = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

  test("opens when it is right, so that the refusals below are for what is wrong with each", async () => {
    expect((await world.get("/me", { token: await forge({}) })).status).toBe(200);
  });

  test.each([
    ["expired", { exp: ago(1) }, "401 token-expired"],
    ["of another gateway", { iss: "https://gateway.example.org" }, "401 token-foreign-gateway"],
    ["for another chain", { chain_id: 1 }, "401 token-foreign-chain"],
    ["for a chain begun anew", { genesis_hash: `0x${"00".repeat(32)}` }, "401 token-foreign-chain"],
    ["without a purpose", { purpose: undefined }, "401 token-malformed"],
    ["for another audience", { aud: "https://gateway.example.org" }, "401 token-malformed"],
    ["of a session that is over", { exp: ago(1), auth_time: ago(8 * hour) }, "401 session-ended"],
  ])("that is %s opens nothing", async (_name, bent, refusal) => {
    const token = await forge(bent);
    for (const path of ["/me", "/exams", "/grants", "/people", "/dicomweb/studies"]) {
      expect(await reasonOf(await world.get(path, { token }))).toBe(refusal);
    }
  });

  test("signed with another key, by another algorithm, or not at all, opens nothing", async () => {
    const unsigned = (await forge({})).split(".").with(0, btoa('{"alg":"none"}')).with(2, "").join(".");
    const tokens = [
      await forge({}, `${SECRET}?`),
      await forge({}, SECRET.padEnd(64), "HS512"),
      unsigned,
      "x.y.z",
    ];
    for (const token of tokens)
      expect(await reasonOf(await world.get("/me", { token }))).toBe("401 token-malformed");
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

    const late = await renew(await forge({ auth_time: ago(8 * hour - 60) }));
    const { expires_in } = (await late.json()) as { expires_in: number };
    expect(expires_in).toBeLessThanOrEqual(60);

    expect(await reasonOf(await renew(await forge({ auth_time: ago(8 * hour + 1) })))).toBe(
      "401 session-ended",
    );
    expect(await reasonOf(await renew(await forge({ exp: ago(1) })))).toBe("401 token-expired");
  });

  test("ends the watch that it opened when it runs out, so that a viewer comes back with a renewed one", async () => {
    await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
    const [exam] = await world.examsOf("otherPatient");
    const token = await forge({
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
