// Rows and arrays, with and without type arguments.
import {
  type Client,
  Pool,
  type PoolClient,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryConfig,
  type QueryConfigValues,
  type QueryResult,
  type QueryResultBase,
  type QueryResultRow,
} from "pg";

interface User {
  id: number;
  name: string;
}

class Repository<T extends QueryResultRow> {
  constructor(private readonly db: Pool | PoolClient | Client, private readonly table: string) {}

  async find(id: number): Promise<T | undefined> {
    const result = await this.db.query<T>(`select * from ${this.table} where id = $1`, [id]);
    return result.rows[0];
  }

  async all(): Promise<QueryResult<T>> {
    return await this.db.query<T>({ text: `select * from ${this.table}` });
  }
}

export async function main(): Promise<void> {
  const pool = new Pool();
  const users = new Repository<User>(pool, "users");
  const name: string | undefined = (await users.find(1))?.name;
  const { rows, rowCount, fields, command, oid } = await users.all();
  const ids: number[] = rows.map(({ id }) => id);
  const shown = `${name} ${ids.length} ${rowCount ?? 0} ${
    fields.map((field) => field.name).join()
  } ${command.length} ${oid}`;

  const untyped = await pool.query("select 1 as n");
  const n: number = untyped.rows[0].n;
  const withValues: QueryResult = await pool.query("select $1::int as n", [n]);
  const readonlyRow: User = (await pool.query<User, [number]>("select $1", [1])).rows[0]!;
  const config: QueryConfig<[number, string]> = { name: "q", text: "select $1, $2", values: [1, "a"] };
  const configured = await pool.query<User>(config);
  const configuredWithValues = await pool.query<User, [number, string]>(config, [1, "a"]);
  const plain: QueryConfig = { text: "select $1" };
  plain.values = [1];
  plain.name = "plain";
  const arrayConfig: QueryArrayConfig = { text: "select 1, 'a'", rowMode: "array" };
  const arrays: QueryArrayResult<[number, string]> = await pool.query<[number, string]>(arrayConfig);
  const [first, second] = arrays.rows[0]!;
  const sum: number = first + second.length;
  const loose: QueryArrayResult = await pool.query({ text: "select 1", rowMode: "array" });
  const cell: unknown = loose.rows[0]![0];
  const values: QueryConfigValues<unknown[]> = [1, null, new Date()];
  const base: QueryResultBase = await pool.query(plain.text, values);
  const results = await Promise.all([pool.query<{ a: number }>("a"), pool.query<{ b: string }>("b")]);
  const pair: [number, string] = [results[0].rows[0]!.a, results[1].rows[0]!.b];

  for (const row of withValues.rows) console.log(row.anything.at.all);
  console.log(shown, readonlyRow.id, configured.rows, configuredWithValues.rows, sum, cell, base.command, pair);

  const client: PoolClient = await pool.connect();
  try {
    await client.query("begin");
    const { rows: [user] } = await client.query<User>("insert into users (name) values ($1) returning *", ["a"]);
    console.log(user!.name);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
  client.release(true);
  client.release(new Error("broken"));
  await pool.end();
}

export function rowsOf<R extends QueryResultRow>(result: QueryResult<R>): R[] {
  return result.rows;
}

export type Loader = (text: string, values?: unknown[]) => Promise<QueryResult<User>>;
export const loader = (db: Client): Loader => (text, values) => db.query<User>(text, values);
