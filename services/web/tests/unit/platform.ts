import { vi } from "vitest";
import { interaction } from "./contract";

/** One request that the page made. */
export interface Seen {
  readonly method: string;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * The platform as the contracts describe it: it answers with their examples, in the order given.
 *
 * The services' own contract suites prove that they answer like this.
 */
export class ContractedPlatform {
  readonly seen: Seen[] = [];
  private readonly answers: { status: number; body: unknown; after: Promise<void> }[] = [];

  /**
   * Lets the next request that is still without an answer be answered as in this interaction, once
   * `after` is resolved. Like a slow network it does not hear of a cancelled request.
   */
  answersLike(provider: string, name: string, after = Promise.resolve()): this {
    const { status, body } = interaction(provider, name).response;
    this.answers.push({ status, body: body.examples?.[0], after });
    return this;
  }

  readonly fetch = vi.fn(async (address: string | URL | Request, init: RequestInit = {}) => {
    this.seen.push({
      method: init.method ?? "GET",
      address: String(address),
      headers: init.headers as Record<string, string>,
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    });
    const answer = this.answers.shift();
    if (answer === undefined) throw new TypeError("no connection");
    await answer.after;
    return new Response(JSON.stringify(answer.body), { status: answer.status });
  });
}
