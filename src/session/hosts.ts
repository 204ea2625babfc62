/**
 * Several hosts for one connection: which are tried, in which order, and which of those that answer will do.
 *
 * @see PostgreSQL documentation, libpq, "Specifying Multiple Hosts", `target_session_attrs`, `load_balance_hosts`
 * @module
 */

import type { ConnectionOptions, HostAddress, TargetSessionAttrs } from "../config/options.ts";
import {
  AbortError,
  AuthenticationError,
  ConfigError,
  DatabaseError,
  DriverError,
  TlsError,
  TransportError,
} from "../errors.ts";
import type { Connected, ConnectInput } from "./connect.ts";
import type { SessionEvents } from "./session_options.ts";
import type { Session } from "./session.ts";
import { SimpleQuery } from "./simple_query.ts";

/**
 * Connects to the first host that can be reached and is what was asked for; each has the whole time to connect.
 *
 * @throws {TransportError} `HOSTS_UNUSABLE` where there are several and none will do; its cause has the reason of each.
 * What ends the search at once, such as a wrong password, is thrown as it is.
 */
export async function connectToAny(
  input: ConnectInput,
  connectToOne: (input: ConnectInput) => Promise<Connected>,
): Promise<Connected> {
  const { options } = input;
  const hosts = options.loadBalanceHosts ? shuffled(options.hosts) : options.hosts;
  const wishes: readonly TargetSessionAttrs[] = options.targetSessionAttrs === "prefer-standby"
    ? ["standby", "any"]
    : [options.targetSessionAttrs];
  const tries = wishes.flatMap((wish) => hosts.map((host) => ({ wish, host })));
  const failures: DriverError[] = [];
  for (const [index, { wish, host }] of tries.entries()) {
    try {
      return await tryHost(input, host, wish, index === tries.length - 1, connectToOne);
    } catch (error) {
      if (!mayTryNext(error)) throw error;
      failures.push(error);
    }
  }
  throw failures.length === 1 ? failures[0] : unusable(hosts, failures);
}

async function tryHost(
  input: ConnectInput,
  { host, port }: HostAddress,
  wish: TargetSessionAttrs,
  last: boolean,
  connectToOne: (input: ConnectInput) => Promise<Connected>,
): Promise<Connected> {
  const options: ConnectionOptions = Object.create(input.options, { host: { value: host }, port: { value: port } });
  // What is submitted early would fail with a host that another one follows, or be done by the wrong one.
  if (wish === "any") {
    return await connectToOne({ ...input, options, onLastMessage: last ? input.onLastMessage : undefined });
  }
  const audience = { events: input.events, listening: false };
  const connected = await connectToOne({
    ...input,
    options,
    onLastMessage: undefined,
    onReady: undefined,
    events: onceChosen(audience),
  });
  const { session } = connected;
  try {
    const role = reportedRole(session) ?? await askRole(session, input.signal);
    if (!fits(role, wish)) throw wrongRole(session, wish);
  } catch (error) {
    void session.end();
    throw error;
  }
  audience.listening = true;
  input.onReady?.(connected);
  return connected;
}

/** Whoever listens to a session is to hear nothing of those that are not taken. */
function onceChosen(audience: { readonly events: SessionEvents; readonly listening: boolean }): SessionEvents {
  const { events } = audience;
  return {
    ...events,
    drain: () => audience.listening && events.drain?.(),
    end: (error) => audience.listening && events.end?.(error),
  };
}

/** What a server is. */
interface Role {
  readonly standby: boolean;
  readonly readOnly: boolean;
}

/** From PostgreSQL 14 on the server says so by itself. */
function reportedRole({ parameters }: Session): Role | undefined {
  const standby = parameters.get("in_hot_standby");
  const readOnly = parameters.get("default_transaction_read_only");
  if (standby === undefined || readOnly === undefined) return undefined;
  return { standby: standby === "on", readOnly: standby === "on" || readOnly === "on" };
}

const ROLE_QUERY = "select pg_catalog.pg_is_in_recovery()::text || ' ' || " +
  "pg_catalog.current_setting('transaction_read_only')";

function askRole(session: Session, signal: AbortSignal | undefined): Promise<Role> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const handler = {
      result: () => ({
        fields: () => {},
        row: (bytes: Uint8Array, start: number, end: number) => {
          // One column, behind its number and length.
          answer = new TextDecoder().decode(bytes.subarray(start + 6, end));
        },
        complete: () => {},
      }),
      done: () => resolve({ standby: answer.startsWith("true"), readOnly: answer.endsWith(" on") }),
      failed: reject,
    };
    session.submit(new SimpleQuery(ROLE_QUERY, handler), { timeoutMillis: ROLE_DEADLINE_MILLIS, signal });
  });
}

/** A server that has just let us in answers at once, or is of no use. */
const ROLE_DEADLINE_MILLIS = 10_000;

function fits({ standby, readOnly }: Role, wish: TargetSessionAttrs): boolean {
  switch (wish) {
    case "read-write":
      return !readOnly;
    case "read-only":
      return readOnly;
    case "primary":
      return !standby;
    case "standby":
      return standby;
  }
  return true;
}

/** As libpq: who can be reached and does not let us in ends the search, unless it is busy, starting or shutting down. */
function mayTryNext(error: unknown): error is DriverError {
  if (!(error instanceof DriverError)) return false;
  if (error instanceof AbortError || error instanceof ConfigError || error instanceof AuthenticationError) return false;
  if (error instanceof TlsError) return !["TLS_OPTION_UNSUPPORTED", "TLS_UNAVAILABLE"].includes(error.driverCode);
  return !(error instanceof DatabaseError) || /^(?:53|57)/.test(error.code);
}

function wrongRole(session: Session, wish: TargetSessionAttrs): TransportError {
  return new TransportError("HOST_ROLE", `the server is not what target_session_attrs=${wish} asks for`, {
    ...session.place,
    phase: "startup",
    safeToRetry: true,
  });
}

function unusable(hosts: readonly HostAddress[], failures: readonly DriverError[]): TransportError {
  const reasons = failures.map(({ host, port, code }) => `${host}:${port} ${code}`).join(", ");
  return new TransportError("HOSTS_UNUSABLE", `none of the ${hosts.length} hosts can be used: ${reasons}`, {
    phase: "open",
    safeToRetry: true,
    cause: new AggregateError(failures, "the reason of each host, in the order of trying"),
  });
}

/** Each order as likely as any other (Fisher and Yates). */
function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let index = order.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [order[index], order[other]] = [order[other], order[index]];
  }
  return order;
}
