// @vitest-environment node
import { describe, expect, test } from "vitest";
import { newKey } from "../../src/api/events";
import { DataFault, draftOf, isSame } from "../../src/draft";

const FIELDS = { type: " order.placed ", version: "2", source: " shop", data: '{"total": 12}' };
const NOW = new Date("2026-03-01T12:00:00Z");

describe("a draft", () => {
  test("is made of the fields without the spaces around them", () => {
    expect(draftOf(FIELDS, "k-1", NOW)).toEqual({
      key: "k-1",
      type: "order.placed",
      version: 2,
      source: "shop",
      occurredAt: NOW,
      data: { total: 12 },
    });
  });

  test("has no data when the field is empty", () => {
    expect(draftOf({ ...FIELDS, data: " \n" }, "k-1", NOW).data).toEqual({});
  });

  test.each(["{", "[1]", "null", '"text"', "12"])("refuses data that is no object: %s", (data) => {
    expect(() => draftOf({ ...FIELDS, data }, "k-1", NOW)).toThrow(DataFault);
  });

  test.each(["type", "version", "source", "data"] as const)(
    "is another one when its %s changes",
    (field) => {
      expect(isSame(FIELDS, { ...FIELDS })).toBe(true);
      expect(isSame(FIELDS, { ...FIELDS, [field]: "other" })).toBe(false);
    },
  );

  test("has a key of 128 bits that no other has", () => {
    const keys = Array.from({ length: 100 }, newKey);

    expect(new Set(keys).size).toBe(100);
    expect(keys.every((key) => /^[0-9a-f]{32}$/.test(key))).toBe(true);
  });
});
