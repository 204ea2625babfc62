// Events, and what a pool and a client show.
import { Client, type ClientBase, type Notification, Pool, type PoolClient, type PoolConfig } from "pg";

const client = new Client();
client.on("connect", () => {}).on("drain", () => {}).on("end", () => {});
client.on("error", (error) => console.log(error.message, error.stack));
client.on("notice", (notice) => console.log(notice.severity, notice.message?.length, notice.code, notice.hint));
client.on("notification", (notification) => {
  const message: Notification = notification;
  console.log(message.channel, message.payload?.toUpperCase(), message.processId + 1);
});
client.once("end", () => {});
client.removeAllListeners("error");
client.off("end", console.log);

const pool = new Pool();
pool.on("connect", (connected: PoolClient) => void connected.query("set search_path = app"));
pool.on("acquire", (acquired) => console.log(acquired.host));
pool.on("remove", (removed) => removed.removeAllListeners());
pool.on("error", (error, failed) => console.log(error.message, failed.port));
pool.on("release", (error, released) => console.log(error, released));
const counts: number = pool.totalCount + pool.idleCount + pool.waitingCount + pool.expiredCount;
console.log(counts, pool.ending || pool.ended, pool.options.max, pool.options.idleTimeoutMillis);
pool.options.max = 3;

export const config: PoolConfig = {
  max: 20,
  min: 1,
  idleTimeoutMillis: 30_000,
  connectionTimeoutMillis: 2_000,
  allowExitOnIdle: true,
  maxUses: 7_500,
  maxLifetimeSeconds: 60,
  Client,
  log: (...messages: unknown[]) => console.log(...messages),
  onConnect: (connected: ClientBase) => void connected.query("select 1"),
  verify: (connected, done) => connected.query("select 1", (error) => done(error)),
};

export async function status(some: ClientBase): Promise<string> {
  await some.connect();
  const literal = some.escapeLiteral("a") + some.escapeIdentifier("b");
  const state: "I" | "T" | "E" | null = some.getTransactionStatus();
  some.setTypeParser(20, (text) => BigInt(text));
  const parse = some.getTypeParser(20);
  return `${literal} ${state} ${parse("1")}`;
}
await status(client);
const { user, database, host, port, ssl, password, pipeline } = client;
console.log(user?.length, database?.length, host.length, port + 1, ssl, typeof password, pipeline);
