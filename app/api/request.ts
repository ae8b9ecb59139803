import type { z } from "zod";
import { GatewayError, ownProblem, problemOf } from "./problem.ts";

/** What goes with a request. */
export interface RequestOptions {
  /** Bearer token (RFC 6750). It is only ever sent to the gateway that issued it. */
  token?: string;
  /** A form, or what becomes JSON; with a body, the request is a POST. */
  body?: unknown;
  method?: "GET" | "POST";
  signal?: AbortSignal;
}

/**
 * Ask a gateway and check its answer.
 * @throws {GatewayError} with the gateway's problem, `gateway-unreachable` or `answer-not-understood`
 * @throws {DOMException} `AbortError` when `signal` aborts
 */
export async function askJson<S extends z.ZodType>(
  url: string,
  schema: S,
  options: RequestOptions = {},
): Promise<z.infer<S>> {
  const response = await ask(url, options);
  const body: unknown = await response.json().catch((cause: unknown) => {
    options.signal?.throwIfAborted();
    throw new GatewayError(ownProblem("answer-not-understood"), { cause });
  });
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    throw new GatewayError(ownProblem("answer-not-understood"), { cause: parsed.error });
  }
  return parsed.data;
}

/**
 * Ask a gateway; resolves to a successful answer only.
 * @throws {GatewayError} with the gateway's problem, or `gateway-unreachable`
 */
export async function ask(
  url: string,
  { token, body, method, signal }: RequestOptions = {},
): Promise<Response> {
  const headers = new Headers();
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const isForm = body instanceof URLSearchParams;
  if (body !== undefined && !isForm) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await fetch(url, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      body: body === undefined || isForm ? body : JSON.stringify(body),
      signal,
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      // A gateway that sends the browser elsewhere would take the token along.
      redirect: "error",
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new GatewayError(ownProblem("gateway-unreachable"), { cause });
  }
  if (!response.ok) throw new GatewayError(await problemOf(response));
  return response;
}
