import type { Draft } from "./api/events";

/** What stands in the form's fields, as typed. */
export interface DraftFields {
  readonly type: string;
  readonly version: string;
  readonly source: string;
  readonly data: string;
}

const FIELDS = ["type", "version", "source", "data"] as const;

/** The data of an event that is not a JSON object. `message` says where, for the reader. */
export class DataFault extends Error {
  override readonly name = "DataFault";
}

function parse(data: string): Record<string, unknown> {
  let read: unknown;
  try {
    read = JSON.parse(data.trim() === "" ? "{}" : data);
  } catch (fault) {
    throw new DataFault(`The data is not JSON: ${(fault as Error).message}`);
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) {
    throw new DataFault('The data must be an object, such as {"total": 12}');
  }
  return read as Record<string, unknown>;
}

/** Makes a draft of what was typed. Throws DataFault. */
export function draftOf(fields: DraftFields, key: string, now: Date): Draft {
  return {
    key,
    type: fields.type.trim(),
    version: Number(fields.version),
    source: fields.source.trim(),
    occurredAt: now,
    data: parse(fields.data),
  };
}

/** Whether two forms would send the same: then a second try is the same draft, not a second event. */
export function isSame(left: DraftFields, right: DraftFields): boolean {
  return FIELDS.every((field) => left[field] === right[field]);
}
