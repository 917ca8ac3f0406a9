/**
 * Readers turn unknown JSON into typed values and name the first place that does not fit.
 *
 * The page trusts no answer by its type alone: a service one release ahead may have changed it.
 */

/** An answer did not have the promised shape. `path` is where, e.g. `items[3].type`. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";

  constructor(
    readonly path: string,
    readonly expected: string,
  ) {
    super(`${path || "the answer"} should be ${expected}`);
  }
}

/** Reads `value`, found at `path`, or throws ShapeError. */
export type Reader<T> = (value: unknown, path?: string) => T;

export const text: Reader<string> = (value, path = "") => {
  if (typeof value !== "string") throw new ShapeError(path, "a string");
  return value;
};

export const count: Reader<number> = (value, path = "") => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ShapeError(path, "a number");
  return value;
};

/** An RFC 3339 time, with its offset. */
export const time: Reader<Date> = (value, path = "") => {
  const read = new Date(text(value, path));
  if (Number.isNaN(read.getTime())) throw new ShapeError(path, "a time");
  return read;
};

export const object: Reader<Record<string, unknown>> = (value, path = "") => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ShapeError(path, "an object");
  }
  return value as Record<string, unknown>;
};

/** `null` and a missing property both read as null. */
export function optional<T>(inner: Reader<T>): Reader<T | null> {
  return (value, path = "") => (value === null || value === undefined ? null : inner(value, path));
}

export function listOf<T>(inner: Reader<T>): Reader<readonly T[]> {
  return (value, path = "") => {
    if (!Array.isArray(value)) throw new ShapeError(path, "a list");
    return value.map((item, index) => inner(item, `${path}[${index}]`));
  };
}

type Fields<T> = {
  readonly [Name in keyof T]: readonly [property: string, reader: Reader<T[Name]>];
};

/** An object read property by property; each field names the property it comes from. */
export function record<T extends object>(fields: Fields<T>): Reader<T> {
  return (value, path = "") => {
    const source = object(value, path);
    const prefix = path === "" ? "" : `${path}.`;
    const read = {} as T;
    for (const name of Object.keys(fields) as (keyof T)[]) {
      const [property, reader] = fields[name];
      read[name] = reader(source[property], `${prefix}${property}`);
    }
    return read;
  };
}
