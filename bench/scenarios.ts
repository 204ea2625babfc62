/**
 * What is measured. Each scenario does one round of work on one driver and says how much it did.
 *
 * @module
 */

import type { BenchConnection, BenchDriver, BenchServer } from "./drivers.ts";

/** One thing to measure. */
export interface Scenario {
  readonly title: string;
  /** What one unit of work is. */
  readonly unit: string;
  /** Rounds to run after one that warms up. */
  readonly rounds: number;
  /** `rate`: units per second, more is better. `cost`: milliseconds per unit. `memory`: growth of the process. */
  readonly shows: "rate" | "cost" | "memory";
  /** Does one round and returns the number of units. */
  round(context: ScenarioContext): Promise<number>;
  /** Drivers that are left out, with the reason. */
  readonly without?: Readonly<Record<string, string>>;
}

/** What a round works with. */
export interface ScenarioContext {
  readonly server: BenchServer;
  readonly driver: BenchDriver;
  /** A connection that stays open over the rounds; undefined for scenarios that open their own. */
  readonly connection: BenchConnection;
}

const ROWS_TABLE = "bench_rows";
const STREAMED_ROWS = 1_000_000;

/** The table of the row scenarios: ten columns of mixed types. */
export const PREPARE_SQL: readonly string[] = [
  `create table if not exists ${ROWS_TABLE} as select i as id, i * 1000003::bigint as big, 'user name ' || i as name,
    i % 2 = 0 as active, i * 1.5::float8 as score, (i * 3.14)::numeric(12, 2) as amount,
    timestamptz '2024-01-01 12:34:56.789+00' + i * interval '1 minute' as created,
    case when i % 7 > 0 then 'note text for row ' || i end as note, jsonb_build_object('a', i, 'b', 'x') as doc,
    md5(i::text) as hash
    from generate_series(1, 100000) i`,
  `vacuum analyze ${ROWS_TABLE}`,
];

const sequential: Scenario = {
  title: "sequential select 1",
  unit: "query",
  rounds: 7,
  shows: "rate",
  async round({ connection }) {
    const queries = 5_000;
    for (let index = 0; index < queries; index++) await connection.simple("select 1");
    return queries;
  },
};

const atOnce: Scenario = {
  title: "10,000 parameterised queries at once, one connection",
  unit: "query",
  rounds: 7,
  shows: "rate",
  async round({ connection }) {
    const queries = 10_000;
    await Promise.all(Array.from({ length: queries }, (_, index) => connection.parameterised(index, `text ${index}`)));
    return queries;
  },
};

const rows: Scenario = {
  title: "100,000 rows x 10 mixed columns",
  unit: "row",
  rounds: 7,
  shows: "rate",
  round: ({ connection }) => connection.rows(`select * from ${ROWS_TABLE}`),
};

const connects = (tls: boolean): Scenario => ({
  title: `connect, query, end; SCRAM, ${tls ? "TLS" : "plain"}`,
  unit: "connect",
  rounds: 7,
  shows: "cost",
  async round({ server, driver }) {
    const times = 20;
    for (let index = 0; index < times; index++) {
      const connection = await driver(server, tls);
      await connection.simple("select 1");
      await connection.end();
    }
    return times;
  },
  ...(tls ? { without: { pgwire: "has no TLS on Node, and no roots of one's own" } } : {}),
});

const memory: Scenario = {
  title: "memory while streaming 1,000,000 rows",
  unit: "row",
  rounds: 1,
  shows: "memory",
  round: ({ connection }) =>
    connection.stream(`select i as id, 'user name ' || i as name, i * 1.5::float8 as score, md5(i::text) as hash
      from generate_series(1, ${STREAMED_ROWS}) i`),
};

/** All scenarios by their short names. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  sequential,
  "at-once": atOnce,
  rows,
  "connect": connects(false),
  "connect-tls": connects(true),
  memory,
};
