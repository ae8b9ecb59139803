/**
 * At which address a caller asked for the gateway, as the proxies in front of it tell (RFC 7239).
 *
 * Whoever asks may write `Forwarded` too, so it is read from its end, where the nearest proxy wrote: an element counts if
 * who handed it on is a trusted proxy, and the outermost one that counts is what the caller saw. `X-Forwarded-Host` and
 * `X-Forwarded-Proto` are not read from anybody: in them, one proxy's word cannot be told from another's.
 */
import { BlockList, isIP } from "node:net";
import type { FastifyRequest } from "fastify";

/** What one proxy says of the request that it was sent (RFC 7239 section 4), its parameters by lower-case name. */
type Element = ReadonlyMap<string, string>;

/** The proxies whose word is taken. */
export class TrustedProxies {
  readonly #trusted = new BlockList();

  /** @param trusted addresses and ranges (CIDR) */
  constructor(trusted: readonly string[]) {
    for (const proxy of trusted) {
      const [address = "", bits] = proxy.split("/");
      if (bits === undefined) this.#trusted.addAddress(address, familyOf(address));
      else this.#trusted.addSubnet(address, Number(bits), familyOf(address));
    }
  }

  /**
   * The gateway's URL as the caller of a request sees it: `publicUrl`, unless a trusted proxy says that it was asked under
   * another host. Without a trailing slash, as `publicUrl` is.
   */
  urlFor({ raw: { socket, headers } }: Pick<FastifyRequest, "raw">, publicUrl: string): string {
    let from = socket.remoteAddress;
    if (headers.forwarded === undefined || !this.#trusts(from)) return publicUrl;
    let outermost: Element | undefined;
    for (const element of parseForwarded(headers.forwarded).reverse()) {
      if (!this.#trusts(from)) break;
      outermost = element;
      from = addressIn(element.get("for") ?? "");
    }
    return (outermost && reached(outermost, publicUrl)) ?? publicUrl;
  }

  #trusts(address: string | undefined): boolean {
    return address !== undefined && isIP(address) !== 0 && this.#trusted.check(address, familyOf(address));
  }
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** A name or an address, and a port (RFC 9110 section 7.2): nothing that a URL could take for its user or its path. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The URL that a proxy was asked under; null where it does not say, or says what is none. */
function reached(element: Element, publicUrl: string): string | null {
  const known = new URL(publicUrl);
  const host = element.get("host") ?? "";
  const scheme = element.get("proto")?.toLowerCase() ?? known.protocol.slice(0, -1);
  const text = `${scheme}://${host}${known.pathname}`;
  if (!HOST.test(host) || !/^https?$/.test(scheme) || !URL.canParse(text)) return null;
  return new URL(text).href.replace(/\/+$/, "");
}

/** The address of a node, without its port (RFC 7239 section 6); none where it is hidden. */
function addressIn(node: string): string | undefined {
  return /^\[(.+)\](?::\w+)?$/.exec(node)?.[1] ?? /^([\d.]+)(?::\w+)?$/.exec(node)?.[1];
}

/** One pair and what ends it. Proxies write hosts with ports without the quotes that RFC 7239 wants. */
const PAIR =
  /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`|~:[\]-]+))[ \t]*)?([;,]|$)/y;

/** The elements, the nearest proxy's last; none where the header cannot be read, or says a thing twice. */
function parseForwarded(header: string): Element[] {
  const elements: Element[] = [];
  let element = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (;;) {
    const [, name, quoted, plain = "", end] = PAIR.exec(header) ?? [];
    if (end === undefined) return [];
    const key = name?.toLowerCase();
    if (key !== undefined && element.has(key)) return [];
    if (key !== undefined) element.set(key, quoted?.replace(/\\(.)/g, "$1") ?? plain);
    if (end === ";") continue;
    if (element.size > 0) elements.push(element);
    if (end === "") return elements;
    element = new Map();
  }
}
