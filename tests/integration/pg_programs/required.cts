// CommonJS, as TypeScript writes it.
import pg = require("pg");
import { Client, type QueryResult } from "pg";

const client: pg.Client = new pg.Client({ host: "localhost" });
const pool = new pg.Pool({ max: 1 });
export = async (): Promise<string> => {
  const result: QueryResult<{ n: number }> = await pool.query<{ n: number }>("select 1 as n");
  const taken: pg.PoolClient = await pool.connect();
  const config: pg.QueryConfig = { text: "select $1", values: [1] };
  pg.types.setTypeParser(20, Number);
  await taken.query(config);
  taken.release();
  await client.end();
  return `${result.rows[0]!.n} ${client instanceof Client}`;
};
