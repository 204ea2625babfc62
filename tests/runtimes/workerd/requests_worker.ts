/**
 * A Worker that keeps a client and a pool from one request to the next, as programs do that come from servers.
 *
 * @module
 */

import { Client, DriverError, Pool, type PoolConfig } from "../../../mod.ts";

/** What a request is to do, with what earlier ones have left. */
export interface Order {
  readonly what: "connect" | "query" | "stream" | "end" | "pool.query" | "pool.connect" | "pool.end";
  readonly config: PoolConfig;
  /** What to ask the server; default {@linkcode QUERY}. */
  readonly text?: string;
  /** How often, one after the other; default once. */
  readonly times?: number;
}

/** What came of it. */
export interface Outcome {
  readonly rows?: readonly unknown[];
  readonly error?: { readonly name: string; readonly code: string | undefined; readonly message: string };
}

let client: Client | undefined;
let pool: Pool | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await run(await request.json()).catch((error) => ({ error: describe(error) })));
  },
};

async function run({ what, config, text = QUERY, times = 1 }: Order): Promise<Outcome> {
  switch (what) {
    case "connect":
      client = await new Client(config).connect();
      return { rows: (await client.query(QUERY)).rows };
    case "query":
      return { rows: (await kept(client).query(QUERY)).rows };
    case "stream":
      return { rows: await Array.fromAsync(kept(client).stream(QUERY)) };
    case "end":
      await kept(client).end();
      return {};
    case "pool.query":
      pool ??= new Pool(config);
      for (let time = 1; time < times; time++) await pool.query(text);
      return { rows: (await pool.query(text)).rows };
    case "pool.connect": {
      pool ??= new Pool(config);
      {
        using taken = await pool.connect();
        for (let time = 0; time < times; time++) await taken.query(text);
      }
      return { rows: (await pool.query(QUERY)).rows };
    }
    case "pool.end":
      await kept(pool).end();
      return {};
  }
}

const QUERY = "select 1 as one";

function kept<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("no request has left one");
  return value;
}

function describe(error: unknown): Outcome["error"] {
  if (!(error instanceof Error)) return { name: "not an error", code: undefined, message: String(error) };
  return {
    name: error.name,
    code: error instanceof DriverError ? error.driverCode : undefined,
    message: error.message,
  };
}
