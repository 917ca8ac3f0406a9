/** What can go wrong between the page and a service, as the page tells its reader. */

export type FailureKind =
  | "unreachable" // no answer: offline, refused, or too late
  | "signed-out" // 401: no token, or one that is not valid any more
  | "refused" // 403
  | "invalid" // 400, 404, 422: the request is at fault
  | "conflict" // 409: the idempotency key was used for something else
  | "busy" // 429, 503: worth trying again
  | "broken"; // 5xx, or an answer of another shape than promised

/** One field of a request that the service did not accept. */
export interface FieldFault {
  readonly field: string;
  readonly reason: string;
}

/** A call failed. `message` is one sentence for the reader; `fields` is empty unless "invalid". */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";

  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly status: number | null = null,
    readonly fields: readonly FieldFault[] = [],
  ) {
    super(message);
  }
}

const SENTENCES: Record<FailureKind, string> = {
  unreachable: "The service cannot be reached. Check the connection and try again.",
  "signed-out": "Your session has ended. Sign in again.",
  refused: "You are not allowed to do this.",
  invalid: "The service did not accept this.",
  conflict: "This was already sent with other content.",
  busy: "The service is busy. Try again in a moment.",
  broken: "The service had a fault. It is not something you did.",
};

export function unreachable(): ApiFailure {
  return new ApiFailure("unreachable", SENTENCES.unreachable);
}

export function brokenShape(status: number, reason: string): ApiFailure {
  return new ApiFailure("broken", `${SENTENCES.broken} (${reason})`, status);
}

function kindOf(status: number): FailureKind {
  if (status === 401) return "signed-out";
  if (status === 403) return "refused";
  if (status === 409) return "conflict";
  if (status === 429 || status === 503) return "busy";
  return status < 500 ? "invalid" : "broken";
}

/** `body.data.total` as `data.total`: a reader knows fields, not where they travel. */
function fieldName(place: unknown): string {
  return typeof place === "string" ? place.split(".").slice(1).join(".") : "";
}

function fieldFault(fault: unknown): FieldFault[] {
  const { field, message } = (fault ?? {}) as { field?: unknown; message?: unknown };
  return typeof message === "string" ? [{ field: fieldName(field), reason: message }] : [];
}

/**
 * Makes a failure from an answer's status and body.
 *
 * The services answer with problems (RFC 9457): `detail` is one sentence, `errors` lists the fields
 * at fault. Anything else, such as a proxy's page, is left out and never shown raw.
 */
export function failureOf(status: number, body: unknown): ApiFailure {
  const kind = kindOf(status);
  const { detail, errors } = (body ?? {}) as { detail?: unknown; errors?: unknown };
  const isTold = typeof detail === "string" && (kind === "invalid" || kind === "conflict");
  const fields = Array.isArray(errors) ? errors.flatMap(fieldFault) : [];
  return new ApiFailure(kind, isTold ? detail : SENTENCES[kind], status, fields);
}
