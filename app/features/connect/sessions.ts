/** Who is signed in where: tokens, kept in memory and for the life of the tab, renewed before they run out. */
import type { Purpose } from "../../../protocol/terms.ts";
import { GatewayError, ownProblem } from "../../api/index.ts";
import { needsSignIn } from "../../words/index.ts";

/** One sign-in: an address at a gateway for a purpose. Times are in milliseconds of this machine's clock. */
export interface Session {
  /** The gateway's base URL. */
  base: string;
  address: string;
  purpose: Purpose;
  token: string;
  issuedAt: number;
  expiresAt: number;
}

/** A fresh token, as a gateway hands it out. */
export interface Renewed {
  token: string;
  /** Seconds. */
  expiresIn: number;
}

/** What the keeper needs from outside. */
export interface SessionsOptions {
  storage: Pick<Storage, "getItem" | "setItem">;
  /** Asks the gateway for a new token in exchange for the present one. */
  renew: (session: Session) => Promise<Renewed>;
  /** Tells the gateway that a session is over. */
  revoke: (session: Session) => Promise<void>;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Runs something later; returns what takes that back. */
  later?: (run: () => void, milliseconds: number) => () => void;
}

const STORAGE_KEY = "examkey.sessions";
/** A failed renewal is tried again after this long, as long as the token lives. */
const RETRY_MS = 10_000;
/** A token this close to its end is renewed before it is used: it would run out on the way. */
const MARGIN_MS = 20_000;

/** When a token is renewed: after two thirds of its life, which leaves time to try again. */
export function renewalDue({ issuedAt, expiresAt }: Pick<Session, "issuedAt" | "expiresAt">): number {
  return issuedAt + (expiresAt - issuedAt) * (2 / 3);
}

/** A session as it is after a renewal. */
export function renewedSession(session: Session, { token, expiresIn }: Renewed, now: number): Session {
  return { ...session, token, issuedAt: now, expiresAt: now + expiresIn * 1000 };
}

/** Keeps sessions and renews them without the wallet until the gateway ends them. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  #revision = 0;
  readonly #timers = new Map<string, () => void>();
  readonly #renewals = new Map<string, Promise<Session>>();
  readonly #listeners = new Set<() => void>();
  readonly #options: Required<SessionsOptions>;

  constructor(options: SessionsOptions) {
    this.#options = {
      now: Date.now,
      later: (run, milliseconds) => {
        const timer = setTimeout(run, milliseconds);
        return () => clearTimeout(timer);
      },
      ...options,
    };
    for (const session of this.#stored()) {
      if (session.expiresAt > this.#options.now()) this.#keep(session);
    }
  }

  /** The live session of an address at a gateway. The same object until it is renewed or ends. */
  get(base: string, address: string): Session | null {
    return this.#sessions.get(keyOf(base, address)) ?? null;
  }

  /** Grows by one with each change. */
  get revision(): number {
    return this.#revision;
  }

  /** Sign an address out everywhere: its sessions are forgotten here, and ended at their gateways where these can be reached. */
  endAll(address: string): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.address !== address) continue;
      this.end(session.base, session.address);
      this.#options.revoke(session).catch(() => undefined);
    }
  }

  /** Begin a session with a token that was just issued. */
  begin(session: Pick<Session, "base" | "address" | "purpose">, renewed: Renewed): void {
    this.#keep(
      renewedSession({ ...session, token: "", issuedAt: 0, expiresAt: 0 }, renewed, this.#options.now()),
    );
    this.#changed();
  }

  /** Forget a session. */
  end(base: string, address: string): void {
    const key = keyOf(base, address);
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    if (this.#sessions.delete(key)) this.#changed();
  }

  /**
   * A token that lives for a while yet, renewed first where it does not.
   * @throws {GatewayError} `session-missing`, or the gateway's reason for not renewing
   */
  async token(base: string, address: string): Promise<string> {
    const session = this.get(base, address);
    if (!session) throw new GatewayError(ownProblem("session-missing"));
    if (session.expiresAt - this.#options.now() > MARGIN_MS) return session.token;
    return (await this.#renew(session)).token;
  }

  /** Called after each change; returns what ends the subscription. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Renew once, however many ask for it at the same time. */
  #renew(session: Session): Promise<Session> {
    const key = keyOf(session.base, session.address);
    const running = this.#renewals.get(key);
    if (running) return running;
    const renewal = this.#options
      .renew(session)
      .then((renewed) => {
        const next = renewedSession(session, renewed, this.#options.now());
        // A session that was ended or begun anew in the meantime stays as it is.
        if (this.#sessions.get(key) === session) {
          this.#keep(next);
          this.#changed();
        }
        return next;
      })
      .catch((error: unknown) => {
        if (error instanceof GatewayError && needsSignIn(error.problem.reason)) {
          if (this.#sessions.get(key) === session) this.end(session.base, session.address);
        }
        throw error;
      })
      .finally(() => this.#renewals.delete(key));
    this.#renewals.set(key, renewal);
    return renewal;
  }

  #keep(session: Session): void {
    const key = keyOf(session.base, session.address);
    this.#sessions.set(key, session);
    this.#schedule(session, renewalDue(session) - this.#options.now());
  }

  #schedule(session: Session, delay: number): void {
    const key = keyOf(session.base, session.address);
    this.#timers.get(key)?.();
    this.#timers.set(
      key,
      this.#options.later(() => void this.#renewWhenDue(session), Math.max(0, delay)),
    );
  }

  async #renewWhenDue(session: Session): Promise<void> {
    try {
      await this.#renew(session);
    } catch {
      if (this.get(session.base, session.address) !== session) return;
      if (session.expiresAt > this.#options.now()) this.#schedule(session, RETRY_MS);
      else this.end(session.base, session.address);
    }
  }

  #changed(): void {
    this.#revision += 1;
    this.#options.storage.setItem(STORAGE_KEY, JSON.stringify([...this.#sessions.values()]));
    for (const listener of this.#listeners) listener();
  }

  #stored(): Session[] {
    try {
      const stored: unknown = JSON.parse(this.#options.storage.getItem(STORAGE_KEY) ?? "[]");
      return Array.isArray(stored) ? stored.filter(isSession) : [];
    } catch {
      return [];
    }
  }
}

function keyOf(base: string, address: string): string {
  return `${base} ${address.toLowerCase()}`;
}

function isSession(value: unknown): value is Session {
  if (typeof value !== "object" || value === null) return false;
  const { base, address, purpose, token, issuedAt, expiresAt } = value as Partial<Session>;
  const texts = [base, address, purpose, token];
  return texts.every((text) => typeof text === "string") && [issuedAt, expiresAt].every(Number.isFinite);
}
