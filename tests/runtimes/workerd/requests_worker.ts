/**
 * A Worker that keeps a client and a pool from one request to the next, as programs do that come from servers.
 *
 * @module
 */

import { Client, type ClientConfig, DriverError, Pool } from "../../../mod.ts";

/** What a request is to do, with what earlier ones have left. */
export interface Order {
  readonly what: "connect" | "query" | "stream" | "end" | "pool.query" | "pool.connect";
  readonly config: ClientConfig;
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

async function run({ what, config }: Order): Promise<Outcome> {
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
      return { rows: (await pool.query(QUERY)).rows };
    case "pool.connect": {
      pool ??= new Pool(config);
      using taken = await pool.connect();
      return { rows: (await taken.query(QUERY)).rows };
    }
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
