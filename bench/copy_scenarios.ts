/**
 * COPY in both directions.
 *
 * @module
 */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import postgres from "postgres";
import { Client } from "../mod.ts";
import type { BenchServer } from "./drivers.ts";
import { type Scenario, scenarioOf, type ScenarioRun } from "./scenario.ts";

const ROWS = 200_000;
const STREAMED_ROWS = 1_000_000;
const CHUNK_BYTES = 65_536;

/** COPY of one driver. */
interface BenchCopy {
  run(text: string): Promise<unknown>;
  into(text: string, source: Iterable<Uint8Array | string>): Promise<unknown>;
  /** The number of bytes that came. */
  out(text: string): Promise<number>;
  end(): Promise<unknown>;
}

type BenchCopyDriver = (server: BenchServer) => Promise<BenchCopy>;

async function countBytes(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

const copies: Readonly<Record<string, BenchCopyDriver>> = {
  "pgduplex": async ({ ca: _, ...server }) => {
    const client = await new Client({ ...server, ssl: false }).connect();
    return {
      run: (text) => client.query(text),
      into: (text, source) => client.copyFrom(text, source),
      out: (text) => countBytes(client.copyTo(text)),
      end: () => client.end(),
    };
  },
  "pg-copy-streams": async ({ ca: _, ...server }) => {
    const client = new pg.Client({ ...server, ssl: false });
    await client.connect();
    return {
      run: (text) => client.query(text),
      into: (text, source) => pipeline(Readable.from(source, { objectMode: false }), client.query(copyFrom(text))),
      out: (text) => countBytes(client.query(copyTo(text))),
      end: () => client.end(),
    };
  },
  "postgres": async ({ ca: _, user, ...server }) => {
    const open = () => postgres({ ...server, username: user, max: 1, fetch_types: false });
    const sql = open();
    await sql`select 1`;
    return {
      run: (text) => sql.unsafe(text),
      into: async (text, source) =>
        pipeline(Readable.from(source, { objectMode: false }), await sql.unsafe(text).writable()),
      // A second COPY out of one connection waits for ever.
      out: async (text) => {
        const own = open();
        const bytes = await countBytes(await own.unsafe(text).readable());
        await own.end({ timeout: 0 });
        return bytes;
      },
      end: () => sql.end(),
    };
  },
};

const line = (row: number) => `${row}\tuser name ${row}\t${row * 1.5}\t${row % 2 === 0}\n`;

function* lines(count: number): Generator<string> {
  for (let row = 0; row < count; row++) yield line(row);
}

/** The same in pieces of 64 KiB, made once. */
function pieces(count: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  let text = "";
  for (const each of lines(count)) {
    text += each;
    if (text.length < CHUNK_BYTES) continue;
    all.push(new TextEncoder().encode(text));
    text = "";
  }
  all.push(new TextEncoder().encode(text));
  return all;
}

const COPY_INTO = "copy bench_copied from stdin";
const CREATE = "create temp table bench_copied (id int, name text, score float8, active bool)";

const copiesIn =
  (count: number, source: () => Iterable<Uint8Array | string>) =>
  async (driver: BenchCopyDriver, server: BenchServer): Promise<ScenarioRun> => {
    const copy = await driver(server);
    await copy.run(CREATE);
    return {
      async round() {
        await copy.into(COPY_INTO, source());
        await copy.run("truncate bench_copied");
        return count;
      },
      end: () => copy.end(),
    };
  };

const copiesOut = (count: number) => async (driver: BenchCopyDriver, server: BenchServer): Promise<ScenarioRun> => {
  const copy = await driver(server);
  const rows = `select i, 'user name ' || i, i * 1.5::float8, i % 2 = 0 from generate_series(1, ${count}) i`;
  return {
    async round() {
      await copy.out(`copy (${rows}) to stdout`);
      return count;
    },
    end: () => copy.end(),
  };
};

const rate = { unit: "row", rounds: 5, shows: "rate", baseline: "pg-copy-streams" } as const;
const memory = { unit: "row", rounds: 1, shows: "memory", baseline: "pg-copy-streams" } as const;
const prepared = pieces(ROWS);

export const copyScenarios: Readonly<Record<string, Scenario>> = {
  "copy-in": scenarioOf(
    { ...rate, title: `COPY in: ${ROWS.toLocaleString("en")} rows, a line at a time` },
    copies,
    copiesIn(ROWS, () => lines(ROWS)),
  ),
  "copy-in-pieces": scenarioOf(
    { ...rate, title: `COPY in: ${ROWS.toLocaleString("en")} rows, in pieces of 64 KiB` },
    copies,
    copiesIn(ROWS, () => prepared),
  ),
  "copy-out": scenarioOf(
    { ...rate, title: `COPY out: ${ROWS.toLocaleString("en")} rows, as bytes` },
    copies,
    copiesOut(ROWS),
  ),
  "memory-copy-in": scenarioOf(
    { ...memory, title: `memory while ${STREAMED_ROWS.toLocaleString("en")} rows are copied in, a line at a time` },
    copies,
    copiesIn(STREAMED_ROWS, () => lines(STREAMED_ROWS)),
  ),
  "memory-copy-out": scenarioOf(
    { ...memory, title: `memory while ${STREAMED_ROWS.toLocaleString("en")} rows are copied out` },
    copies,
    copiesOut(STREAMED_ROWS),
  ),
};
