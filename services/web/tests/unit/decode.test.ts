// @vitest-environment node
import { describe, expect, test } from "vitest";
import { count, listOf, object, optional, record, text, time } from "../../src/api/decode";

interface Order {
  readonly id: string;
  readonly lines: readonly { readonly amount: number }[];
  readonly note: string | null;
}

const order = record<Order>({
  id: ["order_id", text],
  lines: ["lines", listOf(record<{ readonly amount: number }>({ amount: ["amount", count] }))],
  note: ["note", optional(text)],
});

describe("reading an answer", () => {
  test("renames properties and leaves out what was not asked for", () => {
    const read = order({ order_id: "o-1", lines: [{ amount: 2, colour: "red" }], note: "late" });

    expect(read).toEqual({ id: "o-1", lines: [{ amount: 2 }], note: "late" });
  });

  test.each([{ note: null }, {}])("reads a missing optional property as null (%o)", (part) => {
    expect(order({ order_id: "o-1", lines: [], ...part }).note).toBeNull();
  });

  test("names the place that does not fit", () => {
    const wrong = { order_id: "o-1", lines: [{ amount: 1 }, { amount: "2" }] };

    expect(() => order(wrong)).toThrow("lines[1].amount should be a number");
  });

  test("names the answer itself when all of it is of another kind", () => {
    expect(() => order([])).toThrow("the answer should be an object");
  });

  test.each([
    ["a string", text, 1],
    ["a number", count, Number.NaN],
    ["a time", time, "yesterday"],
    ["an object", object, null],
    ["a list", listOf(text), { length: 0 }],
  ])("refuses anything but %s", (kind, reader, value) => {
    expect(() => reader(value, "here")).toThrow(`here should be ${kind}`);
  });

  test("reads a time with its offset", () => {
    expect(time("2026-03-01T12:00:00+01:00").toISOString()).toBe("2026-03-01T11:00:00.000Z");
  });
});
