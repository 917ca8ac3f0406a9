import { useCallback, useMemo, useState } from "preact/hooks";
import type { ApiFailure } from "./api/failure";
import type { IssuedToken } from "./api/identity";
import { httpServices, type Services } from "./services";
import { begin, keep, restore, type Session } from "./session";
import { EventsPage } from "./view/events-page";
import { SignIn } from "./view/sign-in";

/** What the page needs from its surroundings; tests give their own. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly storage: Storage;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

interface HeaderProperties {
  readonly session: Session | null;
  readonly onSignOut: () => void;
}

function Header({ session, onSignOut }: HeaderProperties) {
  return (
    <header>
      <p class="brand">EventFlow</p>
      {session !== null && (
        <p class="row">
          <span>{session.name}</span>
          <button type="button" onClick={onSignOut}>
            Sign out
          </button>
        </p>
      )}
    </header>
  );
}

export function App({ fetch, storage, now }: Surroundings) {
  const [session, setSession] = useState<Session | null>(() => restore(storage, now()));
  const [reason, setReason] = useState<ApiFailure | null>(null);

  const change = useCallback(
    (next: Session | null, why: ApiFailure | null) => {
      keep(storage, next);
      setReason(why);
      setSession(next);
    },
    [storage],
  );
  const services: Services = useMemo(
    () => httpServices(() => session?.token ?? null, fetch),
    [session, fetch],
  );
  const leaveWhenSignedOut = useCallback(
    (failure: ApiFailure) => {
      if (failure.kind === "signed-out") change(null, failure);
    },
    [change],
  );
  const signedIn = (name: string, issued: IssuedToken) => change(begin(name, issued, now()), null);

  return (
    <>
      <Header session={session} onSignOut={() => change(null, null)} />
      <main>
        {session === null ? (
          <SignIn services={services} reason={reason} onSignedIn={signedIn} />
        ) : (
          <EventsPage services={services} onFailure={leaveWhenSignedOut} />
        )}
      </main>
    </>
  );
}
