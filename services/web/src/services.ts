import { send } from "./api/connection";
import {
  type Draft,
  type EventFilter,
  type EventPage,
  listEvents,
  type StoredEvent,
  sendEvent,
} from "./api/events";
import { type IssuedToken, signIn } from "./api/identity";

/** What the page asks of the platform. Every method rejects with an ApiFailure. */
export interface Services {
  signIn(name: string, password: string): Promise<IssuedToken>;
  list(filter: EventFilter, cursor: string | null, signal: AbortSignal): Promise<EventPage>;
  send(draft: Draft): Promise<StoredEvent>;
}

/**
 * The platform over HTTP, at `/api` and `/identity` of the page's own origin.
 *
 * One origin needs no CORS and allows a content policy of `connect-src 'self'`.
 */
export function httpServices(token: () => string | null, fetcher: typeof fetch): Services {
  const identity = { base: "/identity", fetch: fetcher, token: () => null };
  const api = { base: "/api", fetch: fetcher, token };
  return {
    signIn: (name, password) => send(identity, signIn(name, password)),
    list: (filter, cursor, signal) => send(api, listEvents(filter, cursor), signal),
    send: (draft) => send(api, sendEvent(draft)),
  };
}
