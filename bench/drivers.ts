/**
 * The drivers side by side, each behind the same few operations, done the way its documentation does them.
 *
 * @module
 */

import pg from "pg";
import { pgconnection } from "pgwire";
import postgres from "postgres";
import { Client, Query } from "../mod.ts";

/** Where to connect. */
export interface BenchServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The PEM of the authority that signed the server's certificate. */
  readonly ca: string;
}

/** One connection of one driver. */
export interface BenchConnection {
  /** A query without parameters. */
  simple(text: string): Promise<unknown>;
  /** A query with two parameters, an integer and a text. */
  parameterised(number: number, text: string): Promise<unknown>;
  /** All rows of a query, decoded. */
  rows(text: string): Promise<number>;
  /** Every row of a query, decoded one after the other and not kept. */
  stream(text: string): Promise<number>;
  end(): Promise<unknown>;
}

/** How a driver opens a connection. */
export type BenchDriver = (server: BenchServer, tls: boolean) => Promise<BenchConnection>;

/** The query of {@linkcode BenchConnection.parameterised}, as node-postgres writes it. */
export const PARAMETERISED = "select $1::int as n, $2::text as t";

const pgduplexDriver: BenchDriver = async (server, tls) => {
  const { ca, ...options } = server;
  const client = new Client({ ...options, ssl: tls ? { ca } : false });
  const connected = client.connect();
  await connected;
  return {
    simple: (text) => client.query(text),
    parameterised: (number, text) => client.query(PARAMETERISED, [number, text]),
    rows: async (text) => (await client.query(text)).rows.length,
    stream: (text) => countEvents(client.query(new Query(text))),
    end: () => client.end(),
  };
};

const pgDriver = (pipeline: boolean): BenchDriver => async (server, tls) => {
  const { ca, ...options } = server;
  const client = new pg.Client({ ...options, ssl: tls ? { ca } : false, pipeline } as pg.ClientConfig);
  await client.connect();
  return {
    simple: (text) => client.query(text),
    parameterised: (number, text) => client.query(PARAMETERISED, [number, text]),
    rows: async (text) => (await client.query(text)).rows.length,
    stream: (text) => countEvents(client.query(new pg.Query(text))),
    end: () => client.end(),
  };
};

const postgresDriver: BenchDriver = async ({ user, ca, ...server }, tls) => {
  const sql = postgres({ ...server, username: user, max: 1, ssl: tls ? { ca } : false, fetch_types: false });
  await sql`select 1`;
  return {
    simple: (text) => sql.unsafe(text),
    parameterised: (number, text) => sql`select ${number}::int as n, ${text}::text as t`,
    rows: async (text) => (await sql.unsafe(text)).length,
    stream: async (text) => {
      let count = 0;
      await sql.unsafe(text).cursor(1000, (rows) => {
        count += rows.length;
      });
      return count;
    },
    end: () => sql.end(),
  };
};

const pgwireDriver: BenchDriver = async ({ ca, ...server }, tls) => {
  const connection = pgconnection({
    ...server,
    ...(tls ? { sslmode: "require", sslrootcert: ca } : { sslmode: "disable" }),
  });
  await connection.query("select 1");
  return {
    simple: (text) => connection.query(text),
    parameterised: (number, text) =>
      connection.query({
        statement: PARAMETERISED,
        params: [{ type: "int4", value: number }, { type: "text", value: text }],
      }),
    rows: async (text) => (await connection.query(text)).rows.length,
    stream: async (text) => {
      let count = 0;
      for await (const chunk of connection.stream(text)) count += chunk.rows?.length ?? 0;
      return count;
    },
    end: () => connection.end(),
  };
};

/** Every driver by the name it has in the tables. */
export const drivers: Readonly<Record<string, BenchDriver>> = {
  "pgduplex": pgduplexDriver,
  "pg": pgDriver(false),
  "pg pipeline": pgDriver(true),
  "postgres": postgresDriver,
  "pgwire": pgwireDriver,
};

interface RowEvents {
  on(event: "row", listener: () => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

function countEvents(query: RowEvents): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    query.on("row", () => count++);
    query.on("end", () => resolve(count));
    query.on("error", reject);
  });
}
