import { describe, expect, test } from "vitest";
import { button, field, newPlatform, press, shows, signIn } from "./page";

describe("listing events", () => {
  test("shows the newest events after sign-in", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");

    await signIn(platform);

    await shows("1 event shown.");
    expect(document.querySelectorAll("tbody tr")).toHaveLength(1);
    expect(platform.seen[1]?.headers.Authorization).toBe("Bearer header.payload.signature");
  });

  test("appends older events and then says that it has all", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list older events");
    await signIn(platform);
    await shows("Show older events");

    press("Show older events");

    await shows("2 events shown, all there are.");
    expect(platform.seen[2]?.address).toContain("cursor=Mg");
    expect(button("Show older events")).toBeUndefined();
  });

  test("asks anew with the filter and without a cursor", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list older events");
    await signIn(platform);
    await shows("1 event shown.");

    field("type", "search").value = " page.viewed ";
    press("Filter");

    await shows("1 event shown, all there are.");
    expect(platform.seen[2]?.address).toBe("/api/v1/events?limit=25&type=page.viewed");
  });

  test("lists everything again when the filter is cleared", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "list older events")
      .answersLike("api", "list the newest events that match");
    await signIn(platform);
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
    const platform = newPlatform();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match", held)
      .answersLike("api", "list older events");
    await signIn(platform);
    field("type", "search").value = "page.viewed";
    press("Filter");
    await shows("1 event shown, all there are.");

    release();
    await new Promise((resolve) => setTimeout(resolve));

    await shows("1 event shown, all there are.");
  });

  test("offers another try when the list could not be loaded", async () => {
    const platform = newPlatform();
    platform.answersLike("identity", "sign in");
    await signIn(platform);
    await shows("The service cannot be reached.");
    platform.answersLike("api", "list the newest events that match");

    press("Try again");

    await shows("1 event shown.");
    expect(document.body.textContent).not.toContain("cannot be reached");
  });
});
