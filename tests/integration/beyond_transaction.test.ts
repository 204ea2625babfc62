import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { type Client, DatabaseError, DriverError } from "../../mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
const other = await connectClient(postgres);
const table = `beyond_transaction_${process.pid}_${Date.now()}`;
await client.query(`create table ${table} (id int primary key, value int)`);
after(async () => {
  await client.query(`drop table ${table}`);
  await client.end();
  await other.end();
});

const ids = async () => (await other.query(`select id from ${table} order by id`)).rows.map(({ id }) => id);
const insert = `insert into ${table} values ($1, 0)`;

async function empty(): Promise<void> {
  await client.query(`truncate ${table}`);
}

test("what the function resolves with is given once it is committed", async () => {
  await empty();
  const value = await client.transaction(async (transaction) => {
    await transaction.query(insert, [1]);
    assert.equal(client.getTransactionStatus(), "T");
    assert.deepEqual(await ids(), []);
    return "done";
  });
  assert.equal(value, "done");
  assert.equal(client.getTransactionStatus(), "I");
  assert.deepEqual(await ids(), [1]);
});

test("what the function rejects with is thrown as it is, and all is undone", async () => {
  await empty();
  const own = new Error("no");
  const error = await rejection(client.transaction(async (transaction) => {
    await transaction.query(insert, [1]);
    throw own;
  }));
  assert.equal(error, own);
  assert.equal(client.getTransactionStatus(), "I");
  assert.deepEqual(await ids(), []);
});

test("the options reach the server", async () => {
  const settings = await client.transaction(
    async (transaction) =>
      (await transaction.query(
        "select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as ro, " +
          "current_setting('transaction_deferrable') as deferrable",
      )).rows[0],
    { isolation: "serializable", readOnly: true, deferrable: true },
  );
  assert.deepEqual(settings, { isolation: "serializable", ro: "on", deferrable: "on" });
});

test("a query that failed and was hidden makes the transaction fail, since the server rolls it back", async () => {
  await empty();
  const error = await rejection(client.transaction(async (transaction) => {
    await transaction.query(insert, [1]);
    await transaction.query("select 1/0").catch(() => {});
  }));
  assert.ok(error instanceof DriverError);
  assert.equal(error.code, "TRANSACTION_ROLLED_BACK");
  assert.deepEqual(await ids(), []);
});

test("what COMMIT is refused for is thrown, and the client is free again", async () => {
  await client.query(`create table ${table}_deferred (id int references ${table} deferrable initially deferred)`);
  try {
    await assert.rejects(
      client.transaction((transaction) => transaction.query(`insert into ${table}_deferred values (404)`)),
      { code: "23503" },
    );
    assert.equal(client.getTransactionStatus(), "I");
  } finally {
    await client.query(`drop table ${table}_deferred`);
  }
});

test("a nested transaction is undone by itself, and its error may be dealt with", async () => {
  await empty();
  await client.transaction(async (transaction) => {
    await transaction.query(insert, [1]);
    await assert.rejects(
      transaction.transaction(async (nested) => {
        await nested.query(insert, [2]);
        await nested.query(insert, [2]);
      }),
      { code: "23505" },
    );
    await transaction.transaction(async (nested) => {
      await nested.query(insert, [3]);
      await nested.transaction((inner) => inner.query(insert, [4]));
    });
    await assert.rejects(
      transaction.transaction(async (nested) => {
        await nested.query("select 1/0").catch(() => {});
      }),
      { code: "25P02" },
    );
    await transaction.query(insert, [5]);
  });
  assert.deepEqual(await ids(), [1, 3, 4, 5]);
});

test("nested transactions that are started side by side run one after the other", async () => {
  await empty();
  await client.transaction(async (transaction) => {
    const settled = await Promise.allSettled([10, 11, 12].map((id) =>
      transaction.transaction(async (nested) => {
        await nested.query(insert, [id]);
        await nested.query("select pg_sleep(0.01)");
        if (id === 11) throw new Error("not this one");
      })
    ));
    assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  });
  assert.deepEqual(await ids(), [10, 12]);
});

test("in a transaction that was begun by hand, it is nested", async () => {
  await empty();
  await client.query("begin");
  await client.transaction((transaction) => transaction.query(insert, [1]));
  await assert.rejects(client.transaction((transaction) => transaction.query("select 1/0")), { code: "22012" });
  assert.equal(client.getTransactionStatus(), "T");
  await client.query("rollback");
  assert.deepEqual(await ids(), []);
});

test("a second transaction on the same client is refused rather than mixed with the first", async () => {
  const first = client.transaction((transaction) => transaction.query("select 1"));
  await assert.rejects(client.transaction((transaction) => transaction.query("select 2")), {
    code: "TRANSACTION_RUNNING",
    safeToRetry: true,
  });
  await first;
});

test("a transaction that is over takes no more queries", async () => {
  const transaction = await client.transaction((transaction) => ({ transaction }));
  assert.equal(transaction.transaction.over, true);
  const over = { code: "TRANSACTION_OVER", safeToRetry: true };
  await assert.rejects(transaction.transaction.query("select 1"), over);
  await assert.rejects(transaction.transaction.transaction(() => {}), over);
  assert.throws(() => transaction.transaction.stream("select 1"), over);
});

test("what the function left open is closed before the end, so that nothing waits for it", async () => {
  const left: AsyncIterable<unknown>[] = [];
  await client.transaction(async (transaction) => {
    const cursor = transaction.cursor("select generate_series(1, 100) as n");
    assert.equal((await cursor.read(1)).length, 1);
    left.push(transaction.stream("select generate_series(1, 100000) as n"));
  });
  for await (const row of left[0]) assert.fail(`a row after the end: ${row}`);
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
});

test("a COPY that the function left open is given up, and the transaction with it", async () => {
  const over = { code: "TRANSACTION_ROLLED_BACK" };
  await assert.rejects(
    client.transaction(async (transaction) => {
      const cursor = transaction.cursor("select generate_series(1, 100) as n");
      await cursor.read(1);
      transaction.copyTo("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout");
    }),
    over,
  );
  // The server is done with this one before it can be told to stop.
  await empty();
  await assert.rejects(
    client.transaction(async (transaction) => {
      await transaction.query(insert, [1]);
      transaction.copyTo("copy (select 1) to stdout");
    }),
    over,
  );
  await client.transaction(async (transaction) => {
    await transaction.query(insert, [2]);
    const nested = transaction.transaction(async (nested) => {
      await nested.query(insert, [3]);
      nested.copyTo("copy (select 1) to stdout");
    });
    await assert.rejects(nested, over);
  });
  assert.deepEqual(await ids(), [2]);
  const leave = client.transaction((transaction) => void transaction.copyFrom(`copy ${table} from stdin`));
  await assert.rejects(leave, over);
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
});

test("a COPY that has just ended is none that was left open", async () => {
  await empty();
  const bytes = new TextEncoder().encode("1\t0\n");
  await client.transaction(async (transaction) => {
    const writer = transaction.copyFrom(`copy ${table} from stdin`).getWriter();
    await writer.write(bytes);
    await writer.close();
  });
  await client.transaction(async (transaction) => {
    const reader = transaction.copyTo(`copy ${table} to stdout`).getReader();
    assert.deepEqual(await reader.read(), { value: bytes, done: false });
    while (!(await reader.read()).done);
  });
  await client.transaction(async (transaction) => {
    for await (const row of transaction.copyTo(`copy ${table} to stdout`).rows()) assert.deepEqual(row, ["1", "0"]);
  });
});

/** Two serializable transactions of which the server must refuse one: each reads what the other writes. */
async function collide(attempts: number[], retries: number): Promise<PromiseSettledResult<unknown>[]> {
  await empty();
  await client.query(`insert into ${table} values (1, 0), (2, 0)`);
  let arrived = 0;
  let meet = () => {};
  const both = new Promise<void>((resolve) => meet = resolve);
  const run = (on: Client, mine: number, theirs: number) =>
    on.transaction(async (transaction) => {
      attempts.push(mine);
      const { rows } = await transaction.query(`select value from ${table} where id = $1`, [theirs]);
      if (++arrived === 2) meet();
      await both;
      await transaction.query(`update ${table} set value = $2 + 1 where id = $1`, [mine, rows[0].value]);
    }, { isolation: "serializable", retries });
  return await Promise.allSettled([run(client, 1, 2), run(other, 2, 1)]);
}

test("a serialization failure is told as one that may be retried", async () => {
  const attempts: number[] = [];
  const settled = await collide(attempts, 0);
  const failures = settled.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  assert.equal(failures.length, 1);
  const { reason } = failures[0];
  assert.ok(reason instanceof DatabaseError);
  assert.equal(reason.code, "40001");
  assert.equal(reason.safeToRetry, true);
  assert.equal(attempts.length, 2);
});

test("a serialization failure is retried where that was asked for", async () => {
  const attempts: number[] = [];
  const settled = await collide(attempts, 3);
  assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "fulfilled"]);
  assert.equal(attempts.length, 3);
  const { rows } = await client.query(`select value from ${table} order by value`);
  assert.deepEqual(rows.map(({ value }) => value), [1, 2]);
});

test("retries end after as many as were asked for, also where a library wrapped the error", async () => {
  let attempts = 0;
  const error = await rejection(client.transaction(async (transaction) => {
    attempts++;
    try {
      await transaction.query("do $$ begin raise exception 'collision' using errcode = '40P01'; end $$");
    } catch (cause) {
      throw new Error("the library failed", { cause });
    }
  }, { retries: 2 }));
  assert.equal(attempts, 3);
  assert.ok(error instanceof Error && error.cause instanceof DatabaseError);
  assert.equal(error.cause.code, "40P01");
  assert.equal(error.cause.safeToRetry, true);
});

test("what repeating cannot help is not retried", async () => {
  let attempts = 0;
  const error = await rejection(client.transaction((transaction) => {
    attempts++;
    return transaction.query("select 1/0");
  }, { retries: 5 }));
  assert.equal((error as DatabaseError).code, "22012");
  assert.equal((error as DatabaseError).safeToRetry, false);
  assert.equal(attempts, 1);
});

test("a signal ends the transaction, whatever its function waits for, and rolls it back", async () => {
  await empty();
  const controller = new AbortController();
  const reason = new Error("enough");
  const error = await rejection(client.transaction(async (transaction) => {
    await transaction.query(insert, [1]);
    controller.abort(reason);
    await new Promise(() => {});
  }, { signal: controller.signal }));
  assert.ok(error instanceof DriverError);
  assert.equal(error.code, "ABORTED");
  assert.equal(error.cause, reason);
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
  assert.equal(client.getTransactionStatus(), "I");
  assert.deepEqual(await ids(), []);
});

test("a signal ends the query that the transaction waits for", async () => {
  const controller = new AbortController();
  const error = await rejection(client.transaction((transaction) => {
    const query = transaction.query("select pg_sleep(60)");
    controller.abort();
    return query;
  }, { signal: controller.signal }));
  assert.equal((error as DriverError).code, "ABORTED");
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
});

test("a connection that is lost during COMMIT leaves the outcome unknown, which is said", async () => {
  const doomed = await connectClient(postgres);
  // A deferred trigger runs within COMMIT, and ends the connection there.
  await client.query(
    `create function ${table}_die() returns trigger language plpgsql as ` +
      "$$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$",
  );
  await client.query(
    `create constraint trigger die after insert on ${table} deferrable initially deferred ` +
      `for each row when (new.id = 666) execute function ${table}_die()`,
  );
  try {
    const error = await rejection(doomed.transaction((transaction) => transaction.query(insert, [666])));
    assert.ok(error instanceof DriverError);
    assert.equal(error.code, "TRANSACTION_OUTCOME_UNKNOWN");
    assert.equal(error.safeToRetry, false);
    assert.ok(error.cause instanceof DriverError);
  } finally {
    await doomed.end();
    await client.query(`drop trigger die on ${table}`);
    await client.query(`drop function ${table}_die`);
  }
});

test("a connection that is lost before COMMIT is told as what it is", async () => {
  const doomed = await connectClient(postgres);
  const error = await rejection(doomed.transaction(async (transaction) => {
    await transaction.query(insert, [7]);
    await transaction.query("select pg_terminate_backend(pg_backend_pid())");
  }, { retries: 3 }));
  assert.equal((error as DriverError).code, "57P01");
  await doomed.end();
});
