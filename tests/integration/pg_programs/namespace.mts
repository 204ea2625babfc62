// The namespaces of the module, as a default import and as a whole.
import pg from "pg";
import * as whole from "pg";

const { Client, Pool, Query, types, defaults } = pg;
const client: pg.Client = new Client();
const pool: pg.Pool = new Pool();
let taken: pg.PoolClient | undefined;
let config: pg.ClientConfig = { host: "localhost" };
let poolConfig: pg.PoolConfig = { ...config, max: 1 };
let query: pg.QueryConfig = { text: "select 1" };
let result: pg.QueryResult<{ n: number }> | undefined;
let arrays: pg.QueryArrayResult | undefined;
let base: pg.ClientBase = client;
let row: pg.QueryResultRow = {};
let notification: pg.Notification | undefined;
let field: pg.FieldDef | undefined;
let failure: pg.DatabaseError | undefined;
let submittable: pg.Submittable = { submit() {} };
const asked: pg.Query = new Query("select 1");
const again: whole.Client = new whole.Client();
let wholePool: whole.Pool = new whole.Pool(poolConfig);
let wholeResult: whole.QueryResult | undefined = result;
console.log(types.builtins.INT4, defaults.host, whole.types.builtins.INT4, whole.defaults.port, again.port);

export async function main(): Promise<void> {
  taken = await pool.connect();
  base = taken;
  result = await base.query("select 1 as n");
  arrays = await pool.query({ ...query, rowMode: "array" });
  wholeResult = await wholePool.query(query);
  const values = [
    taken,
    config,
    poolConfig,
    arrays,
    row,
    notification,
    field,
    failure,
    submittable,
    asked,
    wholeResult,
  ];
  console.log(values.length);
}
