// @vitest-environment node
import { describe, expect, test } from "vitest";
import { type Call, send } from "../../src/api/connection";
import { type Draft, listEvents, sendEvent } from "../../src/api/events";
import { signIn } from "../../src/api/identity";
import { contractWith, example, type Interaction, providers } from "./contract";
import { always, serve } from "./server";

/** The call of the page behind an interaction, made from the interaction's own values. */
function callOf({ request }: Interaction): Call<unknown> {
  const body = request.body as Record<string, unknown>;
  if (request.path === "/v1/tokens") {
    return signIn(String(body.username), String(body.password));
  }
  if (request.method === "POST") {
    const occurredAt = new Date(String(body.occurred_at));
    const key = request.headers?.["Idempotency-Key"];
    return sendEvent({ ...body, occurredAt, key } as Draft);
  }
  const { type = "", source = "", cursor = null } = request.query ?? {};
  return listEvents({ type, source }, cursor);
}

const interactions = providers().flatMap((provider) =>
  contractWith(provider).interactions.map((each) => ({ ...each, provider })),
);

describe("the contracts", () => {
  test.each(interactions)("$provider: the page makes the request of $name", async (each) => {
    const server = await serve(always(each.response.status, example(each.provider, each.name)));
    const { request } = each;
    const token = request.headers?.Authorization === undefined ? null : "{token}";

    await send({ base: server.base, fetch, token: () => token }, callOf(each)).catch(() => null);

    expect(server.received).toHaveLength(1);
    const { limit: _, ...query } = request.query ?? {};
    const headers = Object.entries(request.headers ?? {});
    expect(server.received[0]).toMatchObject({
      method: request.method,
      path: request.path,
      query,
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    });
    expect(server.received[0]?.body).toEqual(request.body);
  });

  test.each(interactions)("$provider: the page understands the answer to $name", async (each) => {
    const { status } = each.response;
    const server = await serve(always(status, example(each.provider, each.name)));

    const answer = send({ base: server.base, fetch, token: () => null }, callOf(each));

    if (status < 300) await expect(answer).resolves.toBeTypeOf("object");
    else await expect(answer).rejects.toMatchObject({ name: "ApiFailure", status });
  });

  const relied = interactions
    .filter(({ response }) => response.status < 300)
    .flatMap((each) =>
      (each.response.body.required ?? []).map((property) => ({ ...each, property })),
    )
    // The end of the list is told by null, and a missing cursor is read as null.
    .filter(({ property }) => property !== "next_cursor");

  test.each(relied)("$provider: the answer to $name is useless without $property", async (each) => {
    const whole = example(each.provider, each.name) as Record<string, unknown>;
    const { [each.property]: _, ...partial } = whole;
    const server = await serve(always(each.response.status, partial));

    const answer = send({ base: server.base, fetch, token: () => null }, callOf(each));

    await expect(answer).rejects.toMatchObject({ kind: "broken" });
  });
});
