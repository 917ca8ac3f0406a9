import { render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { App } from "../../src/app";
import { ContractedPlatform } from "./platform";

const NOW = Date.parse("2026-03-01T12:00:00Z");

let platform: ContractedPlatform;

function open(): void {
  render(<App fetch={platform.fetch} storage={sessionStorage} now={() => NOW} />, document.body);
}

function field(name: string, within = "form"): HTMLInputElement {
  return document.querySelector(`${within} [name="${name}"]`) as HTMLInputElement;
}

function button(label: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll("button")].find((each) => each.textContent === label);
}

function press(label: string): void {
  button(label)?.click();
}

async function shows(text: string): Promise<void> {
  await vi.waitFor(() => expect(document.body.textContent).toContain(text));
}

async function signIn(): Promise<void> {
  field("name").value = "ada@example.org";
  field("password").value = "secret";
  press("Sign in");
  await shows("Sign out");
}

function fillEvent(): void {
  field("type").value = "order.placed";
  field("version").value = "2";
  field("source").value = "shop";
  field("data").value = '{"order_id": "o-1"}';
}

describe("the page", () => {
  beforeEach(() => {
    platform = new ContractedPlatform();
  });

  afterEach(() => {
    render(null, document.body);
    sessionStorage.clear();
  });

  test("shows the newest events after sign-in", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    open();

    await signIn();

    await shows("1 event shown.");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(1);
    expect(platform.seen[1]?.headers.Authorization).toBe("Bearer header.payload.signature");
  });

  test("says that the address or password is wrong and stays where it is", async () => {
    platform.answersLike("identity", "sign in with a wrong password");
    open();
    field("name").value = "ada@example.org";
    field("password").value = "wrong";
    press("Sign in");

    await shows("The address or the password is not right.");
    expect(button("Sign in")?.disabled).toBe(false);
    expect(sessionStorage).toHaveLength(0);
  });

  test("appends older events and then says that it has all", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list older events");
    open();
    await signIn();
    await shows("Show older events");

    press("Show older events");

    await shows("2 events shown, all there are.");
    expect(platform.seen[2]?.address).toContain("cursor=Mg");
    expect(button("Show older events")).toBeUndefined();
  });

  test("asks anew with the filter and without a cursor", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list older events");
    open();
    await signIn();
    await shows("1 event shown.");

    field("type", "search").value = " page.viewed ";
    press("Filter");

    await shows("1 event shown, all there are.");
    expect(platform.seen[2]?.address).toBe("/api/v1/events?limit=25&type=page.viewed");
  });

  test("lists everything again when the filter is cleared", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list older events")
      .answersLike("api", "list the newest events that match");
    open();
    await signIn();
    await shows("1 event shown.");
    field("type", "search").value = "page.viewed";
    press("Filter");
    await shows("1 event shown, all there are.");

    press("Clear");

    await shows("1 event shown.");
    expect(platform.seen[3]?.address).toBe("/api/v1/events?limit=25");
    expect(field("type", "search").value).toBe("");
  });

  test("drops an answer that a newer question has overtaken", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match", held)
      .answersLike("api", "list older events");
    open();
    await signIn();
    field("type", "search").value = "page.viewed";
    press("Filter");
    await shows("1 event shown, all there are.");

    release();
    await new Promise((resolve) => setTimeout(resolve));

    await shows("1 event shown, all there are.");
  });

  test("sends an event and lists anew", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "send one event")
      .answersLike("api", "list the newest events that match");
    open();
    await signIn();
    await shows("1 event shown.");

    fillEvent();
    press("Send");

    await shows("Sent order.placed.");
    await vi.waitFor(() => expect(platform.seen).toHaveLength(4));
    expect(platform.seen[2]?.body).toMatchObject({ type: "order.placed", version: 2 });
    expect(field("type").value).toBe("");
  });

  test("tries a failed sending again with the same key, and another content with another", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    open();
    await signIn();
    await shows("1 event shown.");

    for (const source of ["shop", "shop", "till"]) {
      fillEvent();
      field("source").value = source;
      const before = platform.seen.length;
      press("Send");
      await vi.waitFor(() => expect(platform.seen.length).toBeGreaterThan(before));
      await vi.waitFor(() => expect(button("Send")?.disabled).toBe(false));
    }

    const keys = platform.seen.slice(2).map(({ headers }) => headers["Idempotency-Key"]);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
    await shows("The service cannot be reached.");
  });

  test("shows which field was not accepted and keeps what was typed", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "send an event with content at fault");
    open();
    await signIn();
    await shows("1 event shown.");

    fillEvent();
    press("Send");

    await shows("data.path: String should have at least 1 character");
    expect(field("source").value).toBe("shop");
  });

  test("tells what is wrong with the data before anything is sent", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    open();
    await signIn();
    await shows("1 event shown.");

    fillEvent();
    field("data").value = "{";
    press("Send");

    await shows("The data is not JSON");
    expect(platform.seen).toHaveLength(2);
  });

  test("offers another try when the list could not be loaded", async () => {
    platform.answersLike("identity", "sign in");
    open();
    await signIn();
    await shows("The service cannot be reached.");
    platform.answersLike("api", "list the newest events that match");

    press("Try again");

    await shows("1 event shown.");
    expect(document.body.textContent).not.toContain("cannot be reached");
  });

  test("asks to sign in again when the token has ended", async () => {
    platform.answersLike("identity", "sign in").answersLike("api", "list events without a token");
    open();
    field("name").value = "ada@example.org";
    field("password").value = "secret";
    press("Sign in");

    await shows("Your session has ended. Sign in again.");
    expect(sessionStorage).toHaveLength(0);
  });

  test("is still signed in after a reload, and not after sign-out", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list the newest events that match");
    open();
    await signIn();
    render(null, document.body);
    open();
    await shows("Sign out");

    press("Sign out");

    await shows("Password");
    expect(sessionStorage).toHaveLength(0);
  });

  test("names every control for those who cannot see it", async () => {
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    open();
    await signIn();
    await shows("1 event shown.");

    const controls = [...document.querySelectorAll("input, textarea")];
    const unnamed = controls.filter((each) => !each.closest("label")?.textContent?.trim());
    expect(controls.length).toBeGreaterThan(4);
    expect(unnamed).toEqual([]);
    expect(document.querySelector("table caption")?.textContent).toBe("Events, newest first");
  });
});
