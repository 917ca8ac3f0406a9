import { type Reader, ShapeError } from "./decode";
import { brokenShape, failureOf, unreachable } from "./failure";

/** How the page reaches one service. `base` has no slash at its end. */
export interface Connection {
  readonly base: string;
  readonly fetch: typeof fetch;
  /** The bearer token to show, or null before sign-in. */
  readonly token: () => string | null;
}

/** One request, and how its answer is read. */
export interface Call<T> {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Empty and null values are left out of the query. */
  readonly query?: Readonly<Record<string, string | number | null>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly answer: Reader<T>;
}

/** A page that waits longer has lost its reader. */
const LIMIT_MILLISECONDS = 10_000;

function address(base: string, call: Call<unknown>): string {
  const given = Object.entries(call.query ?? {}).filter(
    ([, value]) => value !== null && value !== "",
  );
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return `${base}${call.path}${query.size > 0 ? `?${query}` : ""}`;
}

function headersOf(connection: Connection, call: Call<unknown>): Record<string, string> {
  const token = connection.token();
  return {
    Accept: "application/json",
    ...(call.body === undefined ? {} : { "Content-Type": "application/json" }),
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...call.headers,
  };
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // A proxy's error page is not JSON; the status says enough.
    return null;
  }
}

function readAnswer<T>(call: Call<T>, status: number, body: unknown): T {
  try {
    return call.answer(body);
  } catch (fault) {
    if (fault instanceof ShapeError) throw brokenShape(status, fault.message);
    throw fault;
  }
}

/**
 * Sends a call and reads its answer.
 *
 * `signal` ends it early (the caller's AbortError passes through). Every other fault is an
 * ApiFailure.
 */
export async function send<T>(
  connection: Connection,
  call: Call<T>,
  signal?: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.timeout(LIMIT_MILLISECONDS);
  let response: Response;
  try {
    response = await connection.fetch(address(connection.base, call), {
      method: call.method,
      headers: headersOf(connection, call),
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      credentials: "omit",
    });
  } catch (fault) {
    if (signal?.aborted) throw fault;
    throw unreachable();
  }
  const body = await bodyOf(response);
  if (!response.ok) throw failureOf(response.status, body);
  return readAnswer(call, response.status, body);
}
