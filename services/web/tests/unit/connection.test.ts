// @vitest-environment node
import { describe, expect, test } from "vitest";
import { type Call, type Connection, send } from "../../src/api/connection";
import { record, text } from "../../src/api/decode";
import { always, serve } from "./server";

interface Thing {
  readonly name: string;
}

const readThing: Call<Thing> = {
  method: "GET",
  path: "/v1/thing",
  answer: record<Thing>({ name: ["name", text] }),
};

function connect(base: string, token: string | null = null): Connection {
  return { base, fetch, token: () => token };
}

describe("sending a call", () => {
  test("shows the token and leaves out empty parts of the query", async () => {
    const server = await serve(always(200, { name: "a" }));
    const call = { ...readThing, query: { type: "x y", source: "", cursor: null, limit: 25 } };

    await send(connect(server.base, "t-1"), call);

    expect(server.received[0]).toMatchObject({
      method: "GET",
      path: "/v1/thing",
      query: { type: "x y", limit: "25" },
      headers: { authorization: "Bearer t-1", accept: "application/json" },
    });
  });

  test("shows no token before sign-in", async () => {
    const server = await serve(always(200, { name: "a" }));

    await send(connect(server.base), readThing);

    expect(server.received[0]?.headers).not.toHaveProperty("authorization");
  });

  test.each([
    [400, "invalid"],
    [401, "signed-out"],
    [403, "refused"],
    [404, "invalid"],
    [409, "conflict"],
    [422, "invalid"],
    [429, "busy"],
    [500, "broken"],
    [503, "busy"],
  ])("makes of status %i a failure of kind %s", async (status, kind) => {
    const server = await serve(always(status, {}));

    await expect(send(connect(server.base), readThing)).rejects.toMatchObject({ kind, status });
  });

  test("tells the reader which fields were not accepted", async () => {
    const errors = [
      { field: "body.data.total", message: "must be positive" },
      { field: "header", message: "is missing" },
    ];
    const server = await serve(always(422, { title: "Unprocessable", status: 422, errors }));

    await expect(send(connect(server.base), readThing)).rejects.toMatchObject({
      kind: "invalid",
      fields: [
        { field: "data.total", reason: "must be positive" },
        { field: "", reason: "is missing" },
      ],
    });
  });

  test("tells the reader the sentence of a fault that is the reader's to mend", async () => {
    const server = await serve(always(409, { detail: "This key was used." }));

    await expect(send(connect(server.base), readThing)).rejects.toThrow("This key was used.");
  });

  test("never shows what a broken service says about its inside", async () => {
    const server = await serve(always(500, { detail: "password=hunter2" }));

    await expect(send(connect(server.base), readThing)).rejects.not.toThrow("hunter2");
  });

  test("is broken, not a crash, when the answer has another shape", async () => {
    const server = await serve(always(200, { name: 7 }));

    await expect(send(connect(server.base), readThing)).rejects.toMatchObject({
      kind: "broken",
      message: expect.stringContaining("name should be a string"),
    });
  });

  test("is broken when a proxy answers with a page", async () => {
    const server = await serve((response) => response.writeHead(502).end("<html>Bad</html>"));

    await expect(send(connect(server.base), readThing)).rejects.toMatchObject({ kind: "broken" });
  });

  test("is unreachable when the connection ends without an answer", async () => {
    const server = await serve((response) => response.destroy());

    await expect(send(connect(server.base), readThing)).rejects.toMatchObject({
      kind: "unreachable",
      status: null,
    });
  });

  test("passes the caller's own cancelling through", async () => {
    const cancelled = new AbortController();
    const server = await serve(() => cancelled.abort());

    const answer = send(connect(server.base), readThing, cancelled.signal);

    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  });
});
