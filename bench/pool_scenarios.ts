/**
 * Pools under contention.
 *
 * @module
 */

import pg from "pg";
import postgres from "postgres";
import { Pool } from "../mod.ts";
import type { BenchServer } from "./drivers.ts";
import { type Scenario, scenarioOf, type ScenarioRun } from "./scenario.ts";

const CLIENTS = 10;
const WORKERS = 200;
const TURNS = 10;

/** A pool of one driver. */
interface BenchPool {
  /** Takes a client, runs one query on it, and gives it back. */
  checkOut(): Promise<unknown>;
  /** Runs one query on any client. */
  query(number: number): Promise<unknown>;
  end(): Promise<unknown>;
}

type BenchPoolDriver = (server: BenchServer) => BenchPool;

function ofPg(pool: Pick<pg.Pool, "query" | "end"> & { connect(): Promise<pg.PoolClient> }): BenchPool {
  return {
    async checkOut() {
      const client = await pool.connect();
      await client.query("select 1");
      client.release();
    },
    query: (number) => pool.query("select $1::int as n", [number]),
    end: () => pool.end(),
  };
}

const pools: Readonly<Record<string, BenchPoolDriver>> = {
  "pgduplex": ({ ca: _, ...server }) => {
    const pool = new Pool({ ...server, max: CLIENTS });
    return {
      async checkOut() {
        const client = await pool.connect();
        await client.query("select 1");
        client.release();
      },
      query: (number) => pool.query("select $1::int as n", [number]),
      end: () => pool.end(),
    };
  },
  "pg": ({ ca: _, ...server }) => ofPg(new pg.Pool({ ...server, max: CLIENTS })),
  "postgres": ({ ca: _, user, ...server }) => {
    const sql = postgres({ ...server, username: user, max: CLIENTS, fetch_types: false });
    return {
      async checkOut() {
        const client = await sql.reserve();
        await client.unsafe("select 1");
        client.release();
      },
      query: (number) => sql`select ${number}::int as n`,
      end: () => sql.end(),
    };
  },
};

const contended =
  (work: (pool: BenchPool, number: number) => Promise<unknown>) =>
  (driver: BenchPoolDriver, server: BenchServer): Promise<ScenarioRun> => {
    const pool = driver(server);
    return Promise.resolve({
      async round() {
        await Promise.all(Array.from({ length: WORKERS }, async (_, worker) => {
          for (let turn = 0; turn < TURNS; turn++) await work(pool, worker);
        }));
        return WORKERS * TURNS;
      },
      end: () => pool.end(),
    });
  };

const among = `${WORKERS} workers, ${CLIENTS} clients`;

export const poolScenarios: Readonly<Record<string, Scenario>> = {
  "pool": scenarioOf(
    {
      title: `pool: take a client, query, give it back; ${among}`,
      unit: "checkout",
      rounds: 7,
      shows: "rate",
      without: { postgres: "did not come back from reserve() here" },
    },
    pools,
    contended((pool) => pool.checkOut()),
  ),
  "pool-query": scenarioOf(
    { title: `pool: pool.query with a parameter; ${among}`, unit: "query", rounds: 7, shows: "rate" },
    pools,
    contended((pool, number) => pool.query(number)),
  ),
};
