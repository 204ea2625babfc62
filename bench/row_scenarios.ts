/**
 * Rows in parts: cursors and streams.
 *
 * @module
 */

import pg from "pg";
import Cursor from "pg-cursor";
import QueryStream from "pg-query-stream";
import postgres from "postgres";
import { Client } from "../mod.ts";
import { type BenchServer, drivers } from "./drivers.ts";
import { type Scenario, scenarioOf, type ScenarioRun } from "./scenario.ts";

const STREAMED_ROWS = 1_000_000;
const BATCH = 1_000;

/** Reads all rows of a query, some at once, and keeps none. */
interface BenchReader {
  read(text: string): Promise<number>;
  end(): Promise<unknown>;
}

type BenchReaderDriver = (server: BenchServer) => Promise<BenchReader>;

async function countRows(rows: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of rows) count++;
  return count;
}

async function countBatches(read: () => Promise<readonly unknown[]>): Promise<number> {
  let count = 0;
  for (let rows = await read(); rows.length > 0; rows = await read()) count += rows.length;
  return count;
}

type PgReader = (client: pg.Client, text: string) => Promise<number>;

const withPgduplex = (read: (client: Client, text: string) => Promise<number>): BenchReaderDriver => async (server) => {
  const { ca: _, ...options } = server;
  const client = await new Client({ ...options, ssl: false }).connect();
  return { read: (text) => read(client, text), end: () => client.end() };
};

const withPg = (read: PgReader): BenchReaderDriver => async ({ ca: _, ...server }) => {
  const client = new pg.Client({ ...server, ssl: false });
  await client.connect();
  return { read: (text) => read(client, text), end: () => client.end() };
};

const byPgCursor: PgReader = (client, text) => {
  const cursor = client.query(new Cursor(text));
  return countBatches(() => cursor.read(BATCH));
};

const cursors: Readonly<Record<string, BenchReaderDriver>> = {
  "pgduplex": withPgduplex((client, text) => {
    const cursor = client.cursor(text);
    return countBatches(() => cursor.read(BATCH));
  }),
  "pg-cursor on pgduplex": withPgduplex((client, text) => byPgCursor(client as unknown as pg.Client, text)),
  "pg-cursor": withPg(byPgCursor),
  "postgres": async ({ ca: _, user, ...server }) => {
    const sql = postgres({ ...server, username: user, max: 1, fetch_types: false });
    await sql`select 1`;
    const read = async (text: string) => {
      let count = 0;
      for await (const rows of sql.unsafe(text).cursor(BATCH)) count += rows.length;
      return count;
    };
    return { read, end: () => sql.end() };
  },
};

const streams: Readonly<Record<string, BenchReaderDriver>> = {
  "pgduplex": withPgduplex((client, text) => countRows(client.stream(text))),
  "pg-query-stream": withPg((client, text) =>
    countRows(client.query(new QueryStream(text, [], { highWaterMark: BATCH })))
  ),
};

const series = (count: number) =>
  `select i as id, 'user name ' || i as name, i * 1.5::float8 as score, md5(i::text) as hash
    from generate_series(1, ${count}) i`;

const reads = (count: number) => async (driver: BenchReaderDriver, server: BenchServer): Promise<ScenarioRun> => {
  const reader = await driver(server);
  return { round: () => reader.read(series(count)), end: () => reader.end() };
};

const ROWS = 100_000;
const rate = { unit: "row", rounds: 5, shows: "rate" } as const;
const memory = { unit: "row", rounds: 1, shows: "memory" } as const;
const all = `${STREAMED_ROWS.toLocaleString("en")} rows`;

export const rowScenarios: Readonly<Record<string, Scenario>> = {
  "cursor": scenarioOf(
    { ...rate, title: `cursor: ${ROWS.toLocaleString("en")} rows, ${BATCH} at once`, baseline: "pg-cursor" },
    cursors,
    reads(ROWS),
  ),
  "stream": scenarioOf(
    { ...rate, title: `stream: ${ROWS.toLocaleString("en")} rows, one by one`, baseline: "pg-query-stream" },
    streams,
    reads(ROWS),
  ),
  "memory": scenarioOf(
    { ...memory, title: `memory while streaming ${all}, by events` },
    drivers,
    async (driver, server) => {
      const connection = await driver(server, false);
      return { round: () => connection.stream(series(STREAMED_ROWS)), end: () => connection.end() };
    },
  ),
  "memory-cursor": scenarioOf(
    { ...memory, title: `memory while a cursor reads ${all}`, baseline: "pg-cursor" },
    cursors,
    reads(STREAMED_ROWS),
  ),
  "memory-stream": scenarioOf(
    { ...memory, title: `memory while streaming ${all}, as an async iterable`, baseline: "pg-query-stream" },
    streams,
    reads(STREAMED_ROWS),
  ),
};
