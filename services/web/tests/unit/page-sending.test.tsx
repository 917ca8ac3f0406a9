import { describe, expect, test } from "vitest";
import { button, eventually, field, newPlatform, press, shows, signIn } from "./page";

function fillEvent(): void {
  field("type").value = "order.placed";
  field("version").value = "2";
  field("source").value = "shop";
  field("data").value = '{"order_id": "o-1"}';
}

describe("sending an event", () => {
  test("sends an event and lists anew", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "send one event")
      .answersLike("api", "list the newest events that match");
    await signIn(platform);
    await shows("1 event shown.");

    fillEvent();
    press("Send");

    await shows("Sent order.placed.");
    await eventually(() => expect(platform.seen).toHaveLength(4));
    expect(platform.seen[2]?.body).toMatchObject({ type: "order.placed", version: 2 });
    expect(field("type").value).toBe("");
  });

  test("tries a failed sending again with the same key, and another content with another", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    await signIn(platform);
    await shows("1 event shown.");

    for (const source of ["shop", "shop", "till"]) {
      fillEvent();
      field("source").value = source;
      const before = platform.seen.length;
      press("Send");
      await eventually(() => expect(platform.seen.length).toBeGreaterThan(before));
      await eventually(() => expect(button("Send")?.disabled).toBe(false));
    }

    const keys = platform.seen.slice(2).map(({ headers }) => headers["Idempotency-Key"]);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
    await shows("The service cannot be reached.");
  });

  test("shows which field was not accepted and keeps what was typed", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match")
      .answersLike("api", "send an event with content at fault");
    await signIn(platform);
    await shows("1 event shown.");

    fillEvent();
    press("Send");

    await shows("data.path: String should have at least 1 character");
    expect(field("source").value).toBe("shop");
  });

  test("tells what is wrong with the data before anything is sent", async () => {
    const platform = newPlatform();
    platform
      .answersLike("identity", "sign in")
      .answersLike("api", "list the newest events that match");
    await signIn(platform);
    await shows("1 event shown.");

    fillEvent();
    field("data").value = "{";
    press("Send");

    await shows("The data is not JSON");
    expect(platform.seen).toHaveLength(2);
  });
});
