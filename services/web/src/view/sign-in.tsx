import { useState } from "preact/hooks";
import { ApiFailure } from "../api/failure";
import type { IssuedToken } from "../api/identity";
import type { Services } from "../services";
import { FailureNote } from "./failure-note";

interface Properties {
  readonly services: Services;
  /** Why the reader is here again, or null at the first visit. */
  readonly reason: ApiFailure | null;
  readonly onSignedIn: (name: string, issued: IssuedToken) => void;
}

/** A wrong password is a 401 too, but not a session that has ended. */
function explained(failure: ApiFailure): ApiFailure {
  if (failure.kind !== "signed-out") return failure;
  return new ApiFailure("signed-out", "The address or the password is not right.", failure.status);
}

export function SignIn({ services, reason, onSignedIn }: Properties) {
  const [failure, setFailure] = useState(reason);
  const [isBusy, setBusy] = useState(false);

  async function submit(event: SubmitEvent & { currentTarget: HTMLFormElement }) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name"));
    setBusy(true);
    setFailure(null);
    try {
      onSignedIn(name, await services.signIn(name, String(form.get("password"))));
    } catch (fault) {
      if (!(fault instanceof ApiFailure)) throw fault;
      setFailure(explained(fault));
      setBusy(false);
    }
  }

  return (
    <form class="card sign-in" onSubmit={submit} aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">Sign in</h1>
      <label>
        E-mail address
        <input name="name" type="email" autocomplete="username" required />
      </label>
      <label>
        Password
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <FailureNote failure={failure} />
      <button type="submit" class="primary" disabled={isBusy}>
        {isBusy ? "Signing in…" : "Sign in"}
      </button>
    </form>
  );
}
