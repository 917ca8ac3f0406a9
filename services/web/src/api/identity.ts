import type { Call } from "./connection";
import { count, record, text } from "./decode";

/** A token as identity issues it. `lifetime` is in seconds from now. */
export interface IssuedToken {
  readonly token: string;
  readonly lifetime: number;
}

/** Trades a name and a password for a token. */
export function signIn(name: string, password: string): Call<IssuedToken> {
  return {
    method: "POST",
    path: "/v1/tokens",
    body: { grant_type: "password", username: name, password },
    answer: record<IssuedToken>({
      token: ["access_token", text],
      lifetime: ["expires_in", count],
    }),
  };
}
