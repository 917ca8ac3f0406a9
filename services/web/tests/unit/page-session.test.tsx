import { describe, expect, test } from "vitest";
import { button, close, newPlatform, open, press, sendCredentials, shows, signIn } from "./page";

describe("signing in and out", () => {
  test("says that the address or password is wrong and stays where it is", async () => {
    const platform = newPlatform();
    platform.answersLike("identity", "sign in with a wrong password");
    open(platform);
    sendCredentials();

    await shows("The address or the password is not right.");
    expect(button("Sign in")?.disabled).toBe(false);
    expect(sessionStorage).toHaveLength(0);
  });

  test("asks to sign in again when the token has ended", async () => {
    const platform = newPlatform();
    platform.answersLike("identity", "sign in").answersLike("api", "list events without a token");
    open(platform);
    sendCredentials();

    await shows("Your session has ended. Sign in again.");
    expect(sessionStorage).toHaveLength(0);
  });

  test("is still signed in after a reload, and not after sign-out", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list the newest events that match");
    await signIn(platform);
    close();
    open(platform);
    await shows("Sign out");

    press("Sign out");

    await shows("Password");
    expect(sessionStorage).toHaveLength(0);
  });

  test("names every control for those who cannot see it", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    await signIn(platform);
    await shows("1 event shown.");

    const controls = [...document.querySelectorAll("input, textarea")];
    const unnamed = controls.filter((each) => !each.closest("label")?.textContent?.trim());
    expect(controls.length).toBeGreaterThan(4);
    expect(unnamed).toEqual([]);
    expect(document.querySelector("table caption")?.textContent).toBe("Events, newest first");
  });
});
