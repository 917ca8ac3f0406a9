import { beforeEach, describe, expect, test } from "vitest";
import { begin, keep, restore } from "../../src/session";

const START = 1_000_000;
const session = begin("ada", { token: "t-1", lifetime: 60 }, START);

describe("the session of a tab", () => {
  beforeEach(() => sessionStorage.clear());

  test("survives a reload while its token lives", () => {
    keep(sessionStorage, session);

    expect(restore(sessionStorage, START + 30_000)).toEqual(session);
  });

  test("is not restored when its token is about to end", () => {
    keep(sessionStorage, session);

    expect(restore(sessionStorage, START + 56_000)).toBeNull();
  });

  test("is gone after sign-out", () => {
    keep(sessionStorage, session);
    keep(sessionStorage, null);

    expect(sessionStorage).toHaveLength(0);
  });

  test.each(["not json", "null", '{"name": "ada"}', '{"name": 1, "token": 2, "until": 3}'])(
    "is not made from anything else that lies in its place (%s)",
    (stored) => {
      keep(sessionStorage, session);
      const key = sessionStorage.key(0) as string;
      sessionStorage.setItem(key, stored);

      expect(restore(sessionStorage, START)).toBeNull();
    },
  );
});
