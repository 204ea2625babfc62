/**
 * The steps of the program, in order. Each fails with the error of the driver, so that its code is in the report.
 *
 * @module
 */

import type { Client, ClientConfig } from "../../mod.ts";
import type { UserName } from "../fixtures/postgres.ts";
import { rejects, same } from "./expectations.ts";
import type { Task } from "./program.ts";

/** The driver as the runtime at hand has imported it. */
export type Driver = Pick<typeof import("../../mod.ts"), "Client" | "Pool" | "DatabaseError" | "AbortError">;

/** What the steps share. */
export interface Scene {
  readonly driver: Driver;
  readonly task: Task;
  /** The session of {@linkcode STEPS}`connect`, which the steps after it use. */
  client: Client | undefined;
}

/** The name of a step. */
export type StepName = typeof STEPS[number][0];

/** All steps. Those after `end` have sessions of their own. */
export const STEPS = [
  ["connect", connect],
  ["values", values],
  ["rare values", rareValues],
  ["transaction", transaction],
  ["error", databaseError],
  ["pipeline", pipeline],
  ["listen", listen],
  ["10 MB", tenMegabytes],
  ["cursor", cursor],
  ["stream", stream],
  ["COPY", copy],
  ["cancel", cancel],
  ["end", end],
  ["pool", pool],
  ["trust", (scene) => login(scene, "trust_user")],
  ["password", (scene) => login(scene, "password_user")],
  ["MD5", (scene) => login(scene, "md5_user")],
  ["SCRAM", (scene) => login(scene, "scram_user", { channelBinding: "disable" })],
  ["SCRAM-PLUS", (scene) => login(scene, "scram_user", { channelBinding: "require" })],
  ["TLS 1.2", olderTls],
  ["certificate", (scene) => login(scene, "cert_user", scene.task.clientCertificate)],
  ["wrong password", wrongPassword],
  ["wrong CA", wrongAuthority],
  ["public CAs", publicAuthorities],
  ["dead database", deadDatabase],
  ["dead proxy", deadProxy],
] as const satisfies readonly (readonly [string, (scene: Scene) => Promise<void>])[];

/** The names of the steps, in order. A proxy that is dead is a step where there is one on the way. */
export function stepNames(throughProxy: boolean): StepName[] {
  return STEPS.map(([name]) => name).filter((name) => throughProxy || name !== "dead proxy");
}

/** Verified TLS over the transport that was asked for, as the server sees it too. */
async function connect(scene: Scene): Promise<void> {
  const client = await connected(scene);
  scene.client = client;
  const { transport, secure } = client.connectionInfo ?? {};
  same({ transport, secure }, { transport: scene.task.transport, secure: true }, "the connection");
  const { rows } = await client.query("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()");
  same(rows, [{ ssl: true, version: "TLSv1.3" }], "what the server says of TLS");
}

async function values(scene: Scene): Promise<void> {
  const text = "Grüße, 世界 🐘";
  const { rows: [row] } = await session(scene).query(
    `select $1::int as int4, $2::bigint as int8, $3::numeric as numeric, $4::text as text, $5::bool as bool,
       $6::timestamptz as at, $7::jsonb as json, $8::int[] as ints, $9::bytea as bytes, null as nothing`,
    [7, 2n ** 62n, "1.50", text, true, new Date(86_400_000), { a: [1] }, [1, 2, 3], Uint8Array.of(0, 128, 255)],
  );
  same(row.at instanceof Date, true, "a timestamptz is a Date");
  same(row.bytes instanceof Uint8Array, true, "a bytea is bytes");
  same({ ...row, bytes: Array.from(row.bytes) }, {
    int4: 7,
    int8: "4611686018427387904",
    numeric: "1.50",
    text,
    bool: true,
    at: "1970-01-02T00:00:00.000Z",
    json: { a: [1] },
    ints: [1, 2, 3],
    bytes: [0, 128, 255],
    nothing: null,
  }, "the row");
}

/** What a page loads the decoders of, also in the middle of a pipeline. */
async function rareValues(scene: Scene): Promise<void> {
  const client = session(scene);
  const text =
    "select interval '1 day 00:00:01' as interval, point '(1,2)' as point, 7 as n, array[1.5::float8] as floats";
  const both = [client.query(text), client.query({ text, binary: true }), client.query("select 1 as n")];
  const [asText, asBinary, last] = await Promise.all(both);
  for (const { rows: [row] } of [asText, asBinary]) {
    same(row.interval.toISOString(), "P0Y0M1DT0H0M1S", "the interval");
    same({ ...row, interval: null }, { interval: null, point: { x: 1, y: 2 }, n: 7, floats: [1.5] }, "the row");
  }
  same(last.rows, [{ n: 1 }], "the query behind them");
}

async function transaction(scene: Scene): Promise<void> {
  const client = session(scene);
  const count = async () => (await client.query("select count(*)::int as n from places")).rows[0].n;
  await client.query("create temporary table places (name text primary key)");
  await client.query("begin");
  await client.query("insert into places values ($1)", ["Point Nemo"]);
  same(await count(), 1, "rows within the transaction");
  await client.query("rollback");
  same(await count(), 0, "rows after the rollback");
  await client.query("begin");
  await client.query("insert into places values ($1)", ["Point Nemo"]);
  await client.query("commit");
  same(await count(), 1, "rows after the commit");
}

async function databaseError(scene: Scene): Promise<void> {
  const client = session(scene);
  const error = await rejects(client.query("select $1::int / 0", [1]), "22012");
  same(error instanceof scene.driver.DatabaseError, true, "it is a DatabaseError");
  same((await client.query("select 1 as one")).rows, [{ one: 1 }], "the query after the error");
}

async function pipeline(scene: Scene): Promise<void> {
  const client = session(scene);
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  const failing = 100;
  const outcomes = await Promise.allSettled(
    numbers.map((n) => client.query("select 1000 / ($1::int - $2) as n", [n, failing])),
  );
  const answers = outcomes.map((outcome) => outcome.status === "fulfilled" ? outcome.value.rows[0].n : "failed");
  const expected = numbers.map((n) => n === failing ? "failed" : Math.trunc(1000 / (n - failing)));
  same(answers, expected, "the answers in order");
}

/** A notification from another session reaches one that asks nothing. */
async function listen(scene: Scene): Promise<void> {
  const client = session(scene);
  const heard = new Promise<unknown>((resolve) => client.once("notification", resolve));
  await client.query("listen news");
  await withClient(scene, {}, (other) => other.query("select pg_notify('news', $1)", ["hello"]));
  const { channel, payload } = await heard as { channel: string; payload: string };
  same({ channel, payload }, { channel: "news", payload: "hello" }, "the notification");
}

async function tenMegabytes(scene: Scene): Promise<void> {
  const { rows } = await session(scene).query({
    text: "select n, repeat(chr(65 + n % 26), 1000) from generate_series(0, 9999) n",
    rowMode: "array",
  });
  const wrong = rows.findIndex(([n, text], index) => n !== index || text !== letter(index).repeat(1000));
  same({ rows: rows.length, wrong }, { rows: 10_000, wrong: -1 }, "the rows");
}

const letter = (index: number) => String.fromCharCode(65 + index % 26);

async function cursor(scene: Scene): Promise<void> {
  const cursor = session(scene).cursor<{ n: number }>("select n from generate_series(1, 250) n");
  const batches: number[] = [];
  for (let rows = await cursor.read(100); rows.length > 0; rows = await cursor.read(100)) batches.push(rows.length);
  same(batches, [100, 100, 50], "the batches");
}

/** Of a stream that is left early, the rest is given up, and the session goes on. */
async function stream(scene: Scene): Promise<void> {
  const client = session(scene);
  const text = "select n from generate_series(1, $1::int) n";
  let sum = 0;
  for await (const { n } of client.stream<{ n: number }>(text, [5000])) sum += n;
  same(sum, 5000 * 5001 / 2, "the sum of all rows");
  for await (const { n } of client.stream<{ n: number }>(text, [1_000_000])) if (n === 10) break;
  same((await client.query("select 1 as one")).rows, [{ one: 1 }], "the query after a stream that was left");
}

async function copy(scene: Scene): Promise<void> {
  const client = session(scene);
  const rows = Array.from({ length: 5000 }, (_, id) => [String(id), id % 10 === 0 ? null : `line\n\t${id}`]);
  await client.query("create temporary table copied (id int, text text)");
  same(await client.copyFrom("copy copied from stdin", rows), rows.length, "the rows copied in");
  const back: (readonly (string | null)[])[] = [];
  for await (const row of client.copyTo("copy (select * from copied order by id) to stdout").rows()) back.push(row);
  same(back.findIndex((row, index) => JSON.stringify(row) !== JSON.stringify(rows[index])), -1, "the first wrong row");
  same(back.length, rows.length, "the rows copied out");
}

/** The query rejects with the signal's reason, the server has stopped it, and the session goes on. */
async function cancel(scene: Scene): Promise<void> {
  const client = session(scene);
  const { rows: [{ pid }] } = await client.query("select pg_backend_pid() as pid");
  const controller = new AbortController();
  const sleeping = client.query({ text: "select pg_sleep(300)", signal: controller.signal });
  const refused = rejects(sleeping, "ABORTED").catch((error) => error);
  await withClient(scene, {}, async (other) => {
    await untilActive(other, pid);
    controller.abort(new Error("no longer wanted"));
    const error = await refused;
    if (!(error instanceof scene.driver.AbortError)) throw error;
  });
  same((await client.query("select 1 as one")).rows, [{ one: 1 }], "the query after the cancelled one");
}

const MAX_LOOKS = 10_000;

async function untilActive(client: Client, pid: number): Promise<void> {
  const text = "select from pg_stat_activity where pid = $1 and state = 'active' and wait_event = 'PgSleep'";
  for (let look = 0; look < MAX_LOOKS; look++) {
    if ((await client.query(text, [pid])).rowCount !== 0) return;
  }
  throw new Error("the query to be cancelled does not run");
}

async function end(scene: Scene): Promise<void> {
  const client = session(scene);
  await client.end();
  await rejects(client.query("select 1"), "CLIENT_CLOSED");
}

/** Two clients serve five queries. */
async function pool({ driver, task }: Scene): Promise<void> {
  const pool = new driver.Pool({ user: "scram_user", password: task.passwords.scram_user, ...task.config, max: 2 });
  pool.on("error", () => {});
  try {
    const queries = [1, 2, 3, 4, 5].map((n) => pool.query("select $1::int as n", [n]));
    same((await Promise.all(queries)).map(({ rows }) => rows[0].n), [1, 2, 3, 4, 5], "the answers");
    same({ total: pool.totalCount, idle: pool.idleCount }, { total: 2, idle: 2 }, "the clients");
  } finally {
    await pool.end();
  }
}

/** Logs in as a user that the server asks for this method, and sees that it is in. */
async function login(scene: Scene, user: UserName, config: ClientConfig = {}): Promise<void> {
  await withClient(scene, { user, password: scene.task.passwords[user], ...config }, async (client) => {
    same((await client.query("select current_user as name")).rows, [{ name: user }], "the user");
  });
}

/** Sockets whose TLS cannot be told a version have to say so, and may not speak another. */
async function olderTls(scene: Scene): Promise<void> {
  const config = { ssl_max_protocol_version: "TLSv1.2" } as const;
  const { transport, config: { tlsEngine } } = scene.task;
  if (tlsEngine === "platform" && ["deno", "cloudflare"].includes(transport)) {
    await rejects(withClient(scene, config), "TLS_OPTION_UNSUPPORTED");
    return;
  }
  await withClient(scene, { ...config, channelBinding: "require" }, async (client) => {
    const { rows } = await client.query("select version from pg_stat_ssl where pid = pg_backend_pid()");
    same(rows, [{ version: "TLSv1.2" }], "what the server says of TLS");
  });
}

async function wrongPassword(scene: Scene): Promise<void> {
  const error = await rejects(withClient(scene, { password: "not the password" }), "28P01");
  same(/not the password/.test(String(error)), false, "the error shows the password");
}

/** Another server, which presents a certificate by an authority of the same name as the trusted one. */
async function wrongAuthority(scene: Scene): Promise<void> {
  await rejects(withClient(scene, { port: scene.task.untrustedPort }), "TLS_CERTIFICATE");
}

/** A private authority is none of the public ones, which our TLS brings where the runtime shows none. */
async function publicAuthorities(scene: Scene): Promise<void> {
  const { transport, config: { tlsEngine } } = scene.task;
  if (transport === "cloudflare" && tlsEngine === "platform") return; // it was told to count the private one among them
  await rejects(withClient(scene, { sslrootcert: "system" }), "TLS_CERTIFICATE");
}

async function deadDatabase(scene: Scene): Promise<void> {
  await rejects(withClient(scene, { port: scene.task.deadPort }), "TRANSPORT_OPEN_FAILED");
}

async function deadProxy(scene: Scene): Promise<void> {
  await rejects(withClient(scene, { wsProxy: scene.task.deadProxy }), "TRANSPORT_OPEN_FAILED");
}

function session({ client }: Scene): Client {
  if (client === undefined) throw new Error("there is no session: connecting failed");
  return client;
}

async function withClient<T>(
  scene: Scene,
  config: ClientConfig,
  body?: (client: Client) => Promise<T>,
): Promise<void> {
  const client = await connected(scene, config);
  try {
    await body?.(client);
  } finally {
    await client.end();
  }
}

async function connected({ driver, task }: Scene, config: ClientConfig = {}): Promise<Client> {
  const client = new driver.Client({
    user: "scram_user",
    password: task.passwords.scram_user,
    ...task.config,
    ...config,
  });
  client.on("error", () => {}); // what breaks between two queries shows in the next
  await client.connect();
  return client;
}
