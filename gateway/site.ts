/** Where this gateway stands on the web: its own origin, and the others whose pages may use it. */
import { isLoopback } from "./config.ts";

export class Site {
  /** Absolute URL that this gateway is reached at, without a trailing slash. It names the gateway in tokens. */
  readonly url: string;
  readonly #allowedOrigins: readonly string[];

  constructor(url: string, allowedOrigins: readonly string[]) {
    this.url = url;
    this.#allowedOrigins = allowedOrigins;
  }

  /** Origins whose pages may call this gateway and sign in to it. */
  get origins(): string[] {
    return [...this.#aliases().map((url) => new URL(url).origin), ...this.#allowedOrigins];
  }

  /** Whether a URI names this gateway. */
  isOwn(uri: string): boolean {
    return URL.canParse(uri) && this.#aliases().includes(new URL(uri).href.replace(/\/+$/, ""));
  }

  /** On this machine alone, `localhost` and `127.0.0.1` are one place. */
  #aliases(): string[] {
    const url = new URL(this.url);
    const hosts = isLoopback(url.hostname) ? [url.hostname, "127.0.0.1", "localhost"] : [url.hostname];
    return hosts.map((hostname) => {
      const alias = new URL(url);
      alias.hostname = hostname;
      return alias.href.replace(/\/+$/, "");
    });
  }
}
