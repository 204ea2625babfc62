/** Query objects beside node-postgres's: their fields, and what becomes of them. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import pg from "pg";
import Cursor from "pg-cursor";
import { Client, Query } from "../../mod.ts";
import { connectClient, connectOracle } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const url = connectionUrl(postgres, "scram_user");
type QueryClass = typeof Query;
const pairs: readonly (readonly [Client, QueryClass])[] = [
  [await connectClient(postgres), Query],
  [await connectOracle(postgres), pg.Query as unknown as QueryClass],
];
after(() => Promise.all(pairs.map(([client]) => client.end())));

async function sameOfBoth(scenario: (client: Client, QueryClass: QueryClass) => unknown): Promise<unknown> {
  const [here, there] = await Promise.all(pairs.map(([client, QueryClass]) => scenario(client, QueryClass)));
  assert.deepEqual(here, there);
  return here;
}

const types = { getTypeParser: () => () => "parsed" };
const callback = () => {};

test("a Query shows what it was made of, however it was", async () => {
  const ways = [
    ["select 1"],
    ["select $1", [1]],
    ["select 1", callback],
    ["select $1", [1], callback],
    [{ text: "select 1", values: [2], name: "n", rows: 3, types, binary: true, queryMode: "extended", callback }],
    [{ text: "select 1", values: [2] }, [3]],
  ] as unknown as ConstructorParameters<QueryClass>[];
  await sameOfBoth((_, QueryClass) =>
    ways.map((args) => {
      const { text, values, name, rows, types, binary, queryMode, callback } = new QueryClass(...args);
      return { text, values, name, rows, types, binary, queryMode, callback: callback === undefined };
    })
  );
});

test("a Query may be changed until it is given to a client, as tools that annotate SQL do", async () => {
  const rows = await sameOfBoth(async (client, QueryClass) => {
    const query = new QueryClass({ text: "select 1 as n", rowMode: "array", types });
    query.text = `${query.text} /* annotated */, $1::int as m`;
    query.values = [2];
    client.query(query);
    return (await once(query, "end"))[0].rows;
  });
  assert.deepEqual(rows, [["parsed", "parsed"]]);
});

test("values of a Query that are no array are refused when it runs", async () => {
  await sameOfBoth(async (client, QueryClass) => {
    const [error] = await once(client.query(new QueryClass("select $1", "text" as never)), "error");
    return error.message;
  });
});

test("events, callbacks and results are told alike, of one statement, several, none, and one that fails", async () => {
  const texts: [string, unknown[]?][] = [
    ["select n from generate_series(1, 3) n"],
    ["select $1::text as val limit 0", ["hi"]],
    ["select 1 as a; select 2 as b, 3 as c"],
    ["select 1 as a; select nonsense"],
    ["create temp table if not exists told (n int)"],
    ["insert into told values ($1), ($2)", [1, 2]],
    [""],
    ["select 1 / ($1::int - n) as q from generate_series(1, 9) n", [3]],
  ];
  await sameOfBoth(async (client, QueryClass) => {
    const heard: unknown[] = [];
    for (const [text, values] of texts) {
      for (const calledBack of [false, true]) {
        const query = new QueryClass(text, values);
        const brief = (result: unknown) =>
          [result].flat().map((one) => {
            const { command, rowCount, rows, fields } = one as pg.QueryResult;
            return [command, rowCount, rows, fields.length];
          });
        query.on("row", (row, { fields, rows }) => heard.push(["row", row, fields.length, rows.length]));
        query.on("end", (result) => heard.push(["end", brief(result)]));
        query.on("error", ({ code }) => heard.push(["error", code]));
        const report = (error: Error | null, result: unknown) =>
          heard.push(["callback", (error as { code?: string } | null)?.code ?? brief(result)]);
        client.query(query, calledBack ? report : undefined);
        await once(client, "drain");
      }
    }
    return heard;
  });
});

test("a Query of a class that submits itself is let do so", async () => {
  const outcome = await sameOfBoth(async (client, QueryClass) => {
    const told: string[] = [];
    class Own extends QueryClass {
      submit(connection: pg.Connection) {
        told.push("submit");
        connection.query("select 1");
      }
      handleRowDescription() {}
      handleDataRow() {
        told.push("row");
      }
      handleCommandComplete() {}
      handleReadyForQuery() {
        told.push("ready");
      }
    }
    client.query(new Own("never sent"));
    await once(client, "drain");
    return told;
  });
  assert.deepEqual(outcome, ["submit", "row", "ready"]);
});

/** What node-postgres's client and ours say of their queries. */
interface Watched {
  readonly activeQuery: Query | null;
  readonly queryQueue: readonly Query[];
}

test("who watches the queue sees what is outstanding", async () => {
  const outcome = await sameOfBoth(async (client, QueryClass) => {
    const { activeQuery, queryQueue } = client as unknown as Watched;
    const idle = [activeQuery, [...queryQueue]];
    const query = new QueryClass("select 3");
    const over = once(query, "end");
    const cursor = new Cursor("select 4");
    const given = [client.query("select $1::int as n", [1]), client.query({ text: "select 2", name: "two" })];
    client.query(query);
    client.query(cursor);
    const watched = client as unknown as Watched;
    const asked = watched.activeQuery;
    const queued = [...watched.queryQueue];
    const seen = [asked?.text, asked?.values, queued.map(({ text, name }) => [text, name])];
    const same = [asked === watched.activeQuery, asked instanceof QueryClass];
    const own = [queued[1] === query, queued[2] as unknown === cursor];
    await Promise.all([...given, over]);
    await cursor.close();
    return [idle, seen, same, own, watched.activeQuery, [...watched.queryQueue]];
  });
  assert.deepEqual(outcome, [
    [null, []],
    ["select $1::int as n", [1], [["select 2", "two"], ["select 3", undefined], ["select 4", undefined]]],
    [true, true],
    [true, true],
    null,
    [],
  ]);
});

test("a query that is outstanding takes another callback, as tracers give it", async () => {
  const outcome = await sameOfBoth(async (client) => {
    const told: unknown[] = [];
    const watch = (name: string) => {
      const { activeQuery, queryQueue } = client as unknown as Watched;
      const query = queryQueue.at(-1) ?? activeQuery;
      assert.ok(query?.callback);
      const { callback } = query;
      query.callback = (error, result) => {
        told.push([name, error?.message, result?.rows]);
        callback(error, result);
      };
    };
    const answer = client.query("select 1 as n");
    watch("promise");
    const failure = client.query("select $1::int as n", ["x"]).catch(({ code }) => code);
    watch("failure");
    const called = new Promise((resolve) => client.query("select 2 as n", (_, { rows }) => resolve(rows)));
    watch("callback");
    return [(await answer).rows, await failure, await called, told];
  });
  assert.deepEqual(outcome, [
    [{ n: 1 }],
    "22P02",
    [{ n: 2 }],
    [
      ["promise", undefined, [{ n: 1 }]],
      ["failure", 'invalid input syntax for type integer: "x"', undefined],
      ["callback", undefined, [{ n: 2 }]],
    ],
  ]);
});

test("before a client is connected all its queries are in its queue", async () => {
  const [ours, theirs] = [new Client(url), new pg.Client(url) as unknown as Client].map(async (client) => {
    const answers = [client.query("select 1 as n"), client.query("select 2 as n")];
    const { activeQuery, queryQueue } = client as unknown as Watched;
    const seen = [activeQuery, queryQueue.map(({ text }) => text)];
    await client.connect();
    const rows = (await Promise.all(answers)).map(({ rows }) => rows);
    await client.end();
    return [seen, rows];
  });
  assert.deepEqual(await ours, await theirs);
  assert.deepEqual((await ours)[0], [null, ["select 1 as n", "select 2 as n"]]);
});
