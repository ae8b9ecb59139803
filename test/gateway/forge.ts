/** Tokens that nobody issued. */
import { SignJWT } from "jose";
import type { World } from "../world.ts";

/** What a world's gateway signs tokens with, where a test is to know it. */
export const SECRET = "a secret that only a test and its gateway know";

type Header = { alg: string; typ?: string } & Record<string, unknown>;
type Key = Parameters<InstanceType<typeof SignJWT>["sign"]>[0];

/** The claims of a good session token of the patient's, over which `bent` goes. */
export async function claimsOf(world: World, bent: Record<string, unknown> = {}) {
  const discovery = (await (await world.get("/.well-known/examkey")).json()) as { genesisHash: string };
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: world.gateway.url,
    aud: world.gateway.url,
    sub: world.people.patient.address.toLowerCase(),
    jti: "forged",
    sid: "forged",
    iat: now,
    exp: now + 900,
    auth_time: now,
    chain_id: 31337,
    genesis_hash: discovery.genesisHash,
    purpose: "TREAT",
    ...bent,
  };
}

/** A token like the gateway's own, with the gateway's own key, but for what is bent. */
export async function forge(
  world: World,
  bent: Record<string, unknown> = {},
  { header = {}, key = SECRET }: { header?: Partial<Header>; key?: string | Key } = {},
): Promise<string> {
  return new SignJWT(await claimsOf(world, bent))
    .setProtectedHeader({ alg: "HS256", typ: "at+jwt", ...header })
    .sign(typeof key === "string" ? new TextEncoder().encode(key) : key);
}
