/**
 * The libraries that are run on our package, and what is expected of the program of each.
 *
 * @module
 */

import { type WayName, WAYS } from "./stage.ts";

/** A library, and its program in `programs/`. */
export interface Library {
  readonly title: string;
  readonly package: string;
  readonly program: string;
  /** The ways by which it can connect. Default: all. */
  readonly ways?: readonly WayName[];
  /** What its program does, in its order. */
  readonly steps: readonly string[];
  /** Where its clients come from, and what else there is to know. */
  readonly remarks: string;
}

const STEPS = ["create", "insert", "select", "transaction", "error"];
const ITSELF = "makes its clients of `pg` itself";
const NO_STREAM = "has no stream";

/** What is written for Neon's driver knows no sockets. */
const FOR_NEON = { ways: ["WebSocket"] } as const;

/** By which ways a library can connect. */
export const waysOf = ({ ways }: Library) => WAYS.filter(({ name }) => ways?.includes(name) ?? true);

/** In the alphabet's order. */
export const LIBRARIES: readonly Library[] = [
  {
    title: "connect-pg-simple",
    package: "connect-pg-simple",
    program: "connect_pg_simple",
    steps: [...STEPS, "a pool of its own"],
    remarks: `under express-session; with a pool passed in, and one that it makes of \`pg\` itself; ${NO_STREAM}`,
  },
  {
    title: "Drizzle",
    package: "drizzle-orm",
    program: "drizzle",
    steps: STEPS,
    remarks: `\`drizzle-orm/node-postgres\` ${ITSELF}, or takes one; ${NO_STREAM}`,
  },
  {
    title: "Drizzle for Neon",
    package: "drizzle-orm",
    program: "drizzle_neon",
    ...FOR_NEON,
    steps: [...STEPS, "single queries"],
    remarks:
      `\`drizzle-orm/neon-serverless\` and \`neon-http\`, with \`pgduplex/neon\` in the driver's place; ${NO_STREAM}`,
  },
  {
    title: "graphile-worker",
    package: "graphile-worker",
    program: "graphile_worker",
    steps: [...STEPS, "a job that is told of by NOTIFY"],
    remarks: `takes a pool; ${NO_STREAM}`,
  },
  {
    title: "Knex",
    package: "knex",
    program: "knex",
    steps: [...STEPS, "stream", "timeout, with cancel"],
    remarks: `${ITSELF}, and streams by pg-query-stream`,
  },
  {
    title: "Kysely",
    package: "kysely",
    program: "kysely",
    steps: [...STEPS, "stream"],
    remarks: "takes a pool, here of `pgduplex` under its own name, and pg-cursor for streams",
  },
  {
    title: "MikroORM",
    package: "@mikro-orm/postgresql",
    program: "mikro_orm",
    steps: STEPS,
    remarks: `${ITSELF}, by way of Knex, and an error of its own; ${NO_STREAM}`,
  },
  {
    title: "OpenTelemetry's instrumentation",
    package: "@opentelemetry/instrumentation-pg",
    program: "opentelemetry",
    steps: [...STEPS, "a pool"],
    remarks:
      `asks for a \`pg\` of version 8 when that is loaded: given our module by its definitions' \`patch\`; ${NO_STREAM}`,
  },
  {
    title: "pg-boss",
    package: "pg-boss",
    program: "pg_boss",
    steps: [...STEPS, "a worker"],
    remarks: `${ITSELF}; ${NO_STREAM}`,
  },
  {
    title: "pg-copy-streams",
    package: "pg-copy-streams",
    program: "pg_copy_streams",
    steps: [...STEPS, "stream"],
    remarks: "is given to `client.query`",
  },
  {
    title: "pg-cursor",
    package: "pg-cursor",
    program: "pg_cursor",
    steps: [...STEPS, "stream"],
    remarks: "is given to `client.query`; requires `pg/lib/result.js` and `pg/lib/utils.js`",
  },
  {
    title: "pg-listen",
    package: "pg-listen",
    program: "pg_listen",
    steps: [...STEPS, "a connection that breaks is made again"],
    remarks: `${ITSELF}; ${NO_STREAM}`,
  },
  {
    title: "pg-promise",
    package: "pg-promise",
    program: "pg_promise",
    steps: [...STEPS, "stream", "listen"],
    remarks: `${ITSELF}; requires \`pg/lib/utils\`; streams by pg-query-stream`,
  },
  {
    title: "pg-query-stream",
    package: "pg-query-stream",
    program: "pg_query_stream",
    steps: [...STEPS, "stream"],
    remarks: "is given to `client.query`",
  },
  {
    title: "PostGraphile",
    package: "postgraphile",
    program: "postgraphile",
    steps: STEPS,
    remarks: `takes a pool; without its user interface, ruru; ${NO_STREAM}`,
  },
  {
    title: "Prisma's driver adapter",
    package: "@prisma/adapter-pg",
    program: "prisma_adapter",
    steps: [...STEPS, "a pool passed in"],
    remarks: `driven by the interface that Prisma's client calls; ${ITSELF}, or takes a pool; ${NO_STREAM}`,
  },
  {
    title: "Prisma's driver adapter for Neon",
    package: "@prisma/adapter-neon",
    program: "prisma_adapter_neon",
    ...FOR_NEON,
    steps: STEPS,
    remarks: `driven likewise, with \`pgduplex/neon\` in the driver's place; ${NO_STREAM}`,
  },
  {
    title: "Sequelize",
    package: "sequelize",
    program: "sequelize",
    steps: STEPS,
    remarks: `${ITSELF}; ${NO_STREAM}`,
  },
  {
    title: "slonik",
    package: "slonik",
    program: "slonik",
    steps: [...STEPS, "stream"],
    remarks:
      `${ITSELF}; says \`ssl: false\` unless its connection string has \`sslmode=require\`, as through a proxy it must`,
  },
  {
    title: "TypeORM",
    package: "typeorm",
    program: "typeorm",
    steps: [...STEPS, "stream"],
    remarks: `${ITSELF}, and streams by pg-query-stream`,
  },
];
