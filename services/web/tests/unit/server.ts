import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export type Answer = (response: ServerResponse, received: Received) => void;

export interface Server {
  readonly base: string;
  readonly received: readonly Received[];
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const url = new URL(request.url ?? "/", "http://any");
  return {
    method: request.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

/** Starts a real server on a free loopback port; it stops when the test has finished. */
export async function serve(answer: Answer): Promise<Server> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const whole = await read(request);
    received.push(whole);
    answer(response, whole);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** Answers every request with one status and one JSON body. */
export function always(status: number, body: unknown): Answer {
  return (response) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
}
