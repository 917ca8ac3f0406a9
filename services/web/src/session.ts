import type { IssuedToken } from "./api/identity";

/** Who is signed in, with what, until when (milliseconds since 1970). */
export interface Session {
  readonly name: string;
  readonly token: string;
  readonly until: number;
}

const KEY = "eventflow.session";

/** A token about to end would only fail on its way. */
const MARGIN_MILLISECONDS = 5_000;

export function begin(name: string, issued: IssuedToken, now: number): Session {
  return { name, token: issued.token, until: now + issued.lifetime * 1000 };
}

export function isLive(session: Session, now: number): boolean {
  return now < session.until - MARGIN_MILLISECONDS;
}

function parse(stored: string | null): Session | null {
  try {
    const read = JSON.parse(stored ?? "null") as Partial<Session> | null;
    const whole =
      typeof read?.name === "string" &&
      typeof read.token === "string" &&
      typeof read.until === "number";
    return whole ? (read as Session) : null;
  } catch {
    return null;
  }
}

/** The session of this tab, if one is kept and still live at `now`. */
export function restore(storage: Storage, now: number): Session | null {
  const session = parse(storage.getItem(KEY));
  return session !== null && isLive(session, now) ? session : null;
}

/** Keeps a session for this tab only, so that a reload does not sign its reader out. */
export function keep(storage: Storage, session: Session | null): void {
  if (session === null) storage.removeItem(KEY);
  else storage.setItem(KEY, JSON.stringify(session));
}
