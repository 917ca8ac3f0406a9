import { readdirSync, readFileSync } from "node:fs";

/** One request of the page and the answer it relies on; the format is described in README.md. */
export interface Interaction {
  readonly name: string;
  readonly given?: readonly { readonly request: ContractRequest }[];
  readonly request: ContractRequest;
  readonly response: { readonly status: number; readonly body: Schema };
}

export interface ContractRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Schema {
  readonly type?: string | readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly examples?: readonly unknown[];
}

export interface Contract {
  readonly consumer: string;
  readonly provider: string;
  readonly interactions: readonly Interaction[];
}

/** The contract with one provider, such as `api`. */
export function contractWith(provider: string): Contract {
  return JSON.parse(readFileSync(`contracts/${provider}.json`, "utf8")) as Contract;
}

/** The names of all providers the page has a contract with. */
export function providers(): string[] {
  return readdirSync("contracts").map((name) => name.replace(".json", ""));
}

/** The interaction of this name. Throws when the contract has none. */
export function interaction(provider: string, name: string): Interaction {
  const found = contractWith(provider).interactions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${provider} has no interaction "${name}"`);
  return found;
}

/** The example answer of an interaction. */
export function example(provider: string, name: string): unknown {
  return interaction(provider, name).response.body.examples?.[0];
}
