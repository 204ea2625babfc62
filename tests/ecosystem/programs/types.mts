/** What TypeScript has to say of our client and pool in the hands of libraries, whose declarations name those of `pg`. @module */

import { PrismaPg } from "@prisma/adapter-pg";
import { drizzle } from "drizzle-orm/node-postgres";
import { Kysely, PostgresDialect } from "kysely";
import pg, { type PoolClient } from "pg";
import { PgBoss } from "pg-boss";
import Cursor from "pg-cursor";
import pgPromise from "pg-promise";
import QueryStream from "pg-query-stream";

const pool = new pg.Pool({ max: 3 });
drizzle({ client: pool }).$client.totalCount satisfies number;
drizzle(new pg.Client() satisfies pg.Client);
new Kysely<{ towns: { name: string } }>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) });
new PrismaPg(pool);
new PrismaPg({ connectionString: "postgres://localhost" } satisfies pg.PoolConfig);
const client: PoolClient = await pool.connect();
client.query(new QueryStream("select 1")).on("data", () => {});
client.query(new Cursor("select 1")).read(1);
pgPromise()({ host: "localhost", password: () => "secret" }).$pool.end();
new PgBoss({ host: "localhost" });
