/**
 * The Neon driver's `neon`: single queries, and transactions that are known beforehand. There they are HTTP requests; here
 * each has a session of its own, in which connecting and the query share their turns.
 *
 * @module
 */

import type { QueryConfig } from "../client/query/config.ts";
import type { Queryable } from "../client/queryable.ts";
import type { QueryResultRow, Result } from "../client/query/result.ts";
import { assertTemplate, SqlFragment } from "../client/sql.ts";
import type { IsolationLevel } from "../client/transaction/options.ts";
import type { ClientConfig, TypesConfig } from "../config/client_config.ts";
import type { PasswordSource } from "../config/options.ts";
import { ConfigError } from "../errors.ts";
import type { TypeParserSource } from "../types/codec.ts";
import { Client } from "./client.ts";
import { overriding } from "./config.ts";

/** Rows as objects, or as arrays of their values. */
// deno-lint-ignore no-explicit-any -- as in the Neon driver: what a column holds is known to the caller alone
export type QueryRows<ArrayMode extends boolean> = ArrayMode extends true ? any[][] : QueryResultRow[];

/** What a query gives: its rows, or with `fullResults` the whole {@linkcode Result}. */
export type QueryAnswer<ArrayMode extends boolean, FullResults extends boolean> = FullResults extends true
  ? Omit<Result, "rows"> & { rows: QueryRows<ArrayMode> }
  : QueryRows<ArrayMode>;

/** How to run a query. */
export interface NeonQueryOptions<ArrayMode extends boolean, FullResults extends boolean> {
  /** True: each row is the array of its values. Default false. */
  readonly arrayMode?: ArrayMode | undefined;
  /** True: the whole result, with fields, command and count. Default false: the rows alone. */
  readonly fullResults?: FullResults | undefined;
  /** Parsers for the values. */
  readonly types?: TypesConfig | undefined;
  /** Of these only `signal`, which aborts, has an effect. */
  readonly fetchOptions?: { readonly signal?: AbortSignal; readonly [name: string]: unknown } | undefined;
  /** Refused: it is for Neon's HTTP endpoint, and there is none here. */
  readonly authToken?: unknown;
  /** Of no effect: there is no warning. */
  readonly disableWarningInBrowsers?: boolean | undefined;
}

/** How to run a transaction. */
export interface NeonTransactionOptions<ArrayMode extends boolean, FullResults extends boolean>
  extends NeonQueryOptions<ArrayMode, FullResults> {
  /** Default: the server's. */
  readonly isolationLevel?: "ReadUncommitted" | "ReadCommitted" | "RepeatableRead" | "Serializable" | undefined;
  /** Default false. */
  readonly readOnly?: boolean | undefined;
  /** Default false. */
  readonly deferrable?: boolean | undefined;
}

/** A part of a connection: a value, or a function that is asked for it at each query. */
export type Asked<T> = T | (() => T | Promise<T>);

/** Where to connect, besides or instead of a connection string. */
export interface NeonConnectionParams {
  /** As for a client. */
  readonly connectionString?: string | undefined;
  /** Instead of the connection string's. */
  readonly user?: Asked<string> | undefined;
  /** Instead of the connection string's. */
  readonly password?: PasswordSource | undefined;
  /** Instead of the connection string's. */
  readonly host?: Asked<string> | undefined;
  /** Instead of the connection string's. */
  readonly port?: Asked<number | string> | undefined;
  /** Instead of the connection string's. */
  readonly database?: Asked<string> | undefined;
}

/** What {@linkcode neon} may be told. */
export type NeonOptions<ArrayMode extends boolean, FullResults extends boolean> =
  & NeonConnectionParams
  & NeonTransactionOptions<ArrayMode, FullResults>;

const ISOLATION_LEVELS = {
  ReadUncommitted: "read uncommitted",
  ReadCommitted: "read committed",
  RepeatableRead: "repeatable read",
  Serializable: "serializable",
} as const satisfies Record<string, IsolationLevel>;

/** SQL that stands in a template as it is. */
export class UnsafeRawSql {
  /** The SQL. */
  readonly sql: string;

  /** @internal */
  constructor(sql: string) {
    this.sql = sql;
  }
}

/** A query that runs when it is awaited, once; until then it may stand in another template or in a transaction. */
export class NeonQueryPromise<Answer> implements Promise<Answer> {
  /** The SQL and its values. */
  readonly queryData: QueryConfig;
  readonly #run: () => Promise<Answer>;
  #answer: Promise<Answer> | undefined;

  /** @internal */
  constructor(queryData: QueryConfig, run: () => Promise<Answer>) {
    this.queryData = queryData;
    this.#run = run;
  }

  /** The name of the class. */
  get [Symbol.toStringTag](): string {
    return "NeonQueryPromise";
  }

  /** As a promise's; runs the query, unless it runs already. */
  then<Fulfilled = Answer, Rejected = never>(
    onFulfilled?: ((answer: Answer) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.#answer ??= this.#run();
    return this.#answer.then(onFulfilled, onRejected);
  }

  /** As a promise's; runs the query, unless it runs already. */
  catch<Rejected = never>(
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Answer | Rejected> {
    return this.then(undefined, onRejected);
  }

  /** As a promise's; runs the query, unless it runs already. */
  finally(onFinally?: (() => void) | null): Promise<Answer> {
    return this.then().finally(onFinally);
  }
}

/** The function that {@linkcode neon} gives. */
export interface NeonQueryFunction<ArrayMode extends boolean, FullResults extends boolean> {
  /**
   * A query as a template literal.
   *
   * @throws {ConfigError} `SQL_TEMPLATE` where it is called as a function, with a text that may have come from anywhere
   */
  (strings: TemplateStringsArray, ...values: readonly unknown[]): NeonQueryPromise<QueryAnswer<ArrayMode, FullResults>>;
  /** A query with `$1`, `$2`, ... and their values. */
  query<OwnMode extends boolean = ArrayMode, OwnResults extends boolean = FullResults>(
    text: string,
    values?: readonly unknown[],
    options?: NeonQueryOptions<OwnMode, OwnResults>,
  ): NeonQueryPromise<QueryAnswer<OwnMode, OwnResults>>;
  /** SQL for a template, as it is: never with anything from outside in it. */
  unsafe(sql: string): UnsafeRawSql;
  /** Runs queries in one transaction, sent together, and gives the answer of each. */
  transaction<OwnMode extends boolean = ArrayMode, OwnResults extends boolean = FullResults>(
    queries: NeonQueries | ((sql: NeonQueryFunction<OwnMode, OwnResults>) => NeonQueries),
    options?: NeonTransactionOptions<OwnMode, OwnResults>,
  ): Promise<QueryAnswer<OwnMode, OwnResults>[]>;
}

/** The queries of a transaction. */
export type NeonQueries = readonly NeonQueryPromise<unknown>[];

type AnyOptions = NeonTransactionOptions<boolean, boolean>;

/**
 * A function that runs single queries, each in a session of its own: to connect and to query takes as many turns as
 * connecting alone. Where several queries follow each other, a {@linkcode Client} or a pool is faster.
 *
 * @example
 * ```ts
 * import { neon } from "@pgduplex/pgduplex/neon";
 *
 * const sql = neon("postgres://app:secret@db.example.com/shop");
 * const products = await sql`select name, price from products where price < ${100}`;
 * const [orders, users] = await sql.transaction([sql`select * from orders`, sql`select * from users`]);
 * ```
 *
 * @throws {ConfigError} `NEON_AUTH_TOKEN` for a token, which is for Neon's HTTP endpoint
 */
export function neon<ArrayMode extends boolean = false, FullResults extends boolean = false>(
  connectionString: string,
  options?: NeonOptions<ArrayMode, FullResults>,
): NeonQueryFunction<ArrayMode, FullResults>;
/** As above, with the connection among the options. */
export function neon<ArrayMode extends boolean = false, FullResults extends boolean = false>(
  options: NeonOptions<ArrayMode, FullResults>,
): NeonQueryFunction<ArrayMode, FullResults>;
export function neon(
  connection: string | NeonOptions<boolean, boolean>,
  more: NeonOptions<boolean, boolean> = {},
): NeonQueryFunction<boolean, boolean> {
  const given = typeof connection === "string" ? { connectionString: connection, ...more } : connection;
  assertNoToken(given);
  const run = (query: QueryConfig, options: AnyOptions) =>
    new NeonQueryPromise(query, () => inSession(given, signalOf(options), (client) => answer(client, query, options)));
  return Object.assign(
    (strings: TemplateStringsArray, ...values: readonly unknown[]) => {
      assertTemplate(strings, values);
      return run(fragmentOf(strings, values), given);
    },
    {
      query: (text: string, values: readonly unknown[] = [], own: AnyOptions = {}) =>
        run({ text, values }, merged(given, own)),
      unsafe: (sql: string) => new UnsafeRawSql(sql),
      async transaction(
        queries: NeonQueries | ((sql: NeonQueryFunction<boolean, boolean>) => NeonQueries),
        own: AnyOptions = {},
      ) {
        const options = merged(given, own);
        const list = typeof queries === "function" ? queries(neon({ ...given, ...own })) : queries;
        return await inSession(given, signalOf(options), (client) => runAll(client, list, options));
      },
    },
  ) as unknown as NeonQueryFunction<boolean, boolean>;
}

function merged(given: AnyOptions, own: AnyOptions): AnyOptions {
  assertNoToken(own);
  return { ...given, ...own };
}

function assertNoToken({ authToken }: AnyOptions): void {
  if (authToken === undefined) return;
  throw new ConfigError(
    "NEON_AUTH_TOKEN",
    "authToken is for Neon's HTTP endpoint: log in with a password, or use @neondatabase/serverless for such queries",
    { phase: "config" },
  );
}

function signalOf({ fetchOptions }: AnyOptions): AbortSignal | undefined {
  return fetchOptions?.signal;
}

/** The queries before `connect` has ended leave with its last message. */
async function inSession<T>(
  given: NeonConnectionParams,
  signal: AbortSignal | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(await connectionOf(given));
  client.on("error", () => {}); // which the query in flight reports
  try {
    const [result] = await Promise.all([work(client), client.connect({ signal })]);
    return result;
  } finally {
    client.end().catch(() => {}); // nobody waits for it: the answer is there
  }
}

async function connectionOf(given: NeonConnectionParams): Promise<ClientConfig> {
  const ask = async <T>(value: Asked<T>): Promise<T> =>
    typeof value === "function" ? await (value as () => T | Promise<T>)() : value;
  const { connectionString, password, user, host, port, database } = given;
  const own = { user: await ask(user), host: await ask(host), port: await ask(port), database: await ask(database) };
  return overriding(connectionString, { ...own, password });
}

async function runAll(client: Client, queries: NeonQueries, options: AnyOptions): Promise<unknown[]> {
  const { isolationLevel, readOnly, deferrable } = options;
  const isolation = isolationLevel && isolationOf(isolationLevel);
  const signal = signalOf(options);
  return await client.transaction(
    (transaction) => Promise.all(queries.map(({ queryData }) => answer(transaction, queryData, options))),
    { isolation, readOnly, deferrable, signal },
  );
}

function isolationOf(level: string): IsolationLevel {
  if (Object.hasOwn(ISOLATION_LEVELS, level)) return ISOLATION_LEVELS[level as keyof typeof ISOLATION_LEVELS];
  const known = Object.keys(ISOLATION_LEVELS).join(", ");
  throw new ConfigError("TRANSACTION_OPTIONS", `isolationLevel must be one of ${known}`, {
    phase: "query",
    safeToRetry: true,
  });
}

async function answer(client: Pick<Queryable, "query">, query: QueryConfig, options: AnyOptions): Promise<unknown> {
  const { arrayMode, fullResults, types } = options;
  const result = await client.query({
    text: query.text,
    values: query.values,
    queryMode: "extended", // as there, one statement alone
    rowMode: arrayMode ? "array" : "object",
    types: types as TypeParserSource | undefined,
    signal: signalOf(options),
  });
  return fullResults ? result : result.rows;
}

function fragmentOf(strings: readonly string[], values: readonly unknown[]): SqlFragment {
  return SqlFragment.compose(strings, values.map(composable));
}

/** What may stand in a template other than as a value: what was made here. */
function composable(value: unknown): unknown {
  if (value instanceof UnsafeRawSql) return SqlFragment.compose([value.sql], []);
  if (!(value instanceof NeonQueryPromise)) return value;
  if (SqlFragment.is(value.queryData)) return value.queryData;
  throw new ConfigError("NEON_TEMPLATE", "of queries, only those made by a template may stand in another one", {
    phase: "query",
    safeToRetry: true,
  });
}
