import type { Call } from "./connection";
import { count, listOf, object, optional, type Reader, record, text, time } from "./decode";

/** One event as the api keeps it. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly source: string;
  readonly occurredAt: Date;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a reader may narrow the list by. An empty text means all. */
export interface EventFilter {
  readonly type: string;
  readonly source: string;
}

/** Part of the list, newest first. `next` is where the older ones begin; null at the end. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  readonly next: string | null;
}

/** An event to be sent. `key` makes a repeated sending harmless. */
export interface Draft {
  readonly key: string;
  readonly type: string;
  readonly version: number;
  readonly source: string;
  readonly occurredAt: Date;
  readonly data: Readonly<Record<string, unknown>>;
}

const PAGE_SIZE = 25;

const storedEvent: Reader<StoredEvent> = record<StoredEvent>({
  id: ["id", text],
  type: ["type", text],
  version: ["version", count],
  source: ["source", text],
  occurredAt: ["occurred_at", time],
  data: ["data", object],
});

const eventPage: Reader<EventPage> = record<EventPage>({
  events: ["items", listOf(storedEvent)],
  next: ["next_cursor", optional(text)],
});

/** Asks for one page; `cursor` is the `next` of the page before, or null for the newest events. */
export function listEvents(filter: EventFilter, cursor: string | null): Call<EventPage> {
  return {
    method: "GET",
    path: "/v1/events",
    query: { limit: PAGE_SIZE, type: filter.type, source: filter.source, cursor },
    answer: eventPage,
  };
}

/** Sends one event. The same key with the same content gives the same answer again. */
export function sendEvent(draft: Draft): Call<StoredEvent> {
  return {
    method: "POST",
    path: "/v1/events",
    headers: { "Idempotency-Key": draft.key },
    body: {
      type: draft.type,
      version: draft.version,
      source: draft.source,
      occurred_at: draft.occurredAt.toISOString(),
      data: draft.data,
    },
    answer: storedEvent,
  };
}

/** A key nobody else uses. `crypto.randomUUID` is missing on pages served without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
