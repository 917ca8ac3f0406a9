// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ContractRequest, contractWith, providers, type Schema } from "./contract";

interface Described extends Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Described[];
}

type Content = Record<string, { readonly schema: Described }>;

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Record<string, { readonly content?: Content }>;
}

/** The OpenAPI document that a service has committed. */
class ServiceDocument {
  private readonly document: {
    readonly paths: Record<string, Record<string, Operation>>;
    readonly components: { readonly schemas: Record<string, Described> };
  };

  constructor(service: string) {
    this.document = JSON.parse(readFileSync(`../${service}/openapi.json`, "utf8"));
  }

  operation({ path, method }: ContractRequest): Operation | undefined {
    return this.document.paths[path]?.[method.toLowerCase()];
  }

  answer(operation: Operation | undefined, status: number): Described | undefined {
    return Object.values(operation?.responses[status]?.content ?? {})[0]?.schema;
  }

  /** What the page relies on and the document does not promise, one sentence each. */
  missing(relied: Schema, promised: Described | undefined, place: string): string[] {
    const options = this.options(promised);
    const types = options.flatMap(({ type }) => [type ?? []].flat());
    const unlike = [relied.type ?? []].flat().filter((type) => !types.includes(type));
    const properties = Object.entries(relied.properties ?? {});
    const items = options.find((option) => option.items)?.items;
    return [
      ...unlike.map((type) => `${place} is not promised as ${type}`),
      ...properties.flatMap(([name, inner]) => {
        const property = options.find((option) => option.properties?.[name])?.properties?.[name];
        return this.missing(inner, property, `${place}.${name}`);
      }),
      ...(relied.items ? this.missing(relied.items, items, `${place}[]`) : []),
    ];
  }

  /** The alternatives of a schema, of which most have one. */
  private options(schema: Described = {}): Described[] {
    const name = schema.$ref?.split("/").at(-1);
    if (name !== undefined) return this.options(this.document.components.schemas[name]);
    return (schema.anyOf ?? [schema]).flatMap((each) =>
      each === schema ? [each] : this.options(each),
    );
  }
}

const interactions = providers().flatMap((provider) =>
  contractWith(provider).interactions.map((each) => ({ ...each, provider })),
);

describe("the documents of the services", () => {
  test.each(interactions)("$provider describes the request of $name", ({ provider, request }) => {
    const operation = new ServiceDocument(provider).operation(request);

    const described = (operation?.parameters ?? [])
      .filter((parameter) => parameter.in === "query")
      .map((parameter) => parameter.name);
    expect(operation).toBeDefined();
    expect(described).toEqual(expect.arrayContaining(Object.keys(request.query ?? {})));
  });

  test.each(interactions)("$provider promises what the page reads of $name", (each) => {
    const document = new ServiceDocument(each.provider);
    const answer = document.answer(document.operation(each.request), each.response.status);

    expect(document.missing(each.response.body, answer, "answer")).toEqual([]);
  });

  test("do not promise what they do not name", () => {
    const document = new ServiceDocument("api");
    const answer = document.answer(document.operation({ method: "GET", path: "/v1/events" }), 200);
    const relied: Schema = {
      properties: {
        items: { items: { properties: { id: { type: "integer" }, mood: { type: "string" } } } },
      },
    };

    expect(document.missing(relied, answer, "answer")).toEqual([
      "answer.items[].id is not promised as integer",
      "answer.items[].mood is not promised as string",
    ]);
  });
});
