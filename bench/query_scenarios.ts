/**
 * Queries and connects.
 *
 * @module
 */

import { type BenchConnection, type BenchDriver, type BenchServer, drivers } from "./drivers.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";
import { sessionDriver } from "./session_driver.ts";

const ROWS_TABLE = "bench_rows";

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

/** One connection for all rounds. */
const connected =
  (round: (connection: BenchConnection) => Promise<number>) => async (driver: BenchDriver, server: BenchServer) => {
    const connection = await driver(server, false);
    return { round: () => round(connection), end: () => connection.end() };
  };

const queries = { unit: "query", rounds: 7, shows: "rate" } as const;

async function askInTurn(connection: BenchConnection): Promise<number> {
  const count = 5_000;
  for (let index = 0; index < count; index++) await connection.simple("select 1");
  return count;
}

async function askAtOnce(connection: BenchConnection): Promise<number> {
  const count = 10_000;
  await Promise.all(Array.from({ length: count }, (_, index) => connection.parameterised(index, `text ${index}`)));
  return count;
}

const fetchRows = (connection: BenchConnection) => connection.rows(`select * from ${ROWS_TABLE}`);

const connects = (tls: boolean): Scenario =>
  scenarioOf(
    {
      title: `connect, query, end; SCRAM, ${tls ? "TLS" : "plain"}`,
      unit: "connect",
      rounds: 7,
      shows: "cost",
      ...(tls ? { without: { pgwire: "has no TLS on Node, and no roots of one's own" } } : {}),
    },
    drivers,
    (driver, server) =>
      Promise.resolve({
        async round() {
          const times = 20;
          for (let index = 0; index < times; index++) {
            const connection = await driver(server, tls);
            await connection.simple("select 1");
            await connection.end();
          }
          return times;
        },
        end: () => Promise.resolve(),
      }),
  );

/** What the face costs: `Client.query` beside exchanges that are given to the session itself. */
const faces = { "pgduplex": drivers.pgduplex, "bare session": sessionDriver };

export const queryScenarios: Readonly<Record<string, Scenario>> = {
  "sequential": scenarioOf({ title: "sequential select 1", ...queries }, drivers, connected(askInTurn)),
  "at-once": scenarioOf(
    { title: "10,000 parameterised queries at once, one connection", ...queries },
    drivers,
    connected(askAtOnce),
  ),
  "rows": scenarioOf(
    { ...queries, title: "100,000 rows x 10 mixed columns", unit: "row" },
    drivers,
    connected(fetchRows),
  ),
  "face": scenarioOf(
    { ...queries, title: "the face: sequential select 1", baseline: "bare session", rounds: 11 },
    faces,
    connected(askInTurn),
  ),
  "face-at-once": scenarioOf(
    { ...queries, title: "the face: 10,000 parameterised queries at once", baseline: "bare session", rounds: 11 },
    faces,
    connected(askAtOnce),
  ),
  "face-rows": scenarioOf(
    { ...queries, title: "the face: 100,000 rows x 10 mixed columns", unit: "row", baseline: "bare session" },
    faces,
    connected(fetchRows),
  ),
  "connect": connects(false),
  "connect-tls": connects(true),
};
