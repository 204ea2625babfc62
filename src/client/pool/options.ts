/**
 * What a pool may be told.
 *
 * @module
 */

import type { ClientConfig } from "../../config/client_config.ts";
import { sslWithoutSecretsShown } from "../../config/secrets.ts";
import { ConfigError } from "../../errors.ts";
import { Client } from "../client.ts";
import type { PoolClient } from "./pool_client.ts";

/** Makes a pool's clients: our Client, a class derived from it, or any in the shape of node-postgres's. */
export type ClientConstructor = new (config?: ClientConfig) => Client;

/** The options of a pool: its own, and those of its clients. */
export interface PoolConfig extends ClientConfig {
  /** How many clients there may be at once. Default 10. */
  max?: number | undefined;
  /** An old name of `max`. */
  poolSize?: number | undefined;
  /** How many clients stay although they are idle. Default 0. */
  min?: number | undefined;
  /** How long a client may be idle before it is closed, in milliseconds; 0 or null: for ever. Default 10,000. */
  idleTimeoutMillis?: number | null | undefined;
  /** How often a client is handed out before it is closed. Default: without limit. */
  maxUses?: number | undefined;
  /** How old a client may become, in seconds; it is closed once nobody uses it. Default 0: without limit. */
  maxLifetimeSeconds?: number | undefined;
  /** True: idle clients do not keep the process alive. Default false. */
  allowExitOnIdle?: boolean | undefined;
  /**
   * The time to get a client, be it to connect one or to wait for one to be released, in milliseconds. Default: 60,000
   * to connect, and no limit to wait.
   */
  connectionTimeoutMillis?: number | undefined;
  /** Prepares each new client before anybody gets it; what it throws or rejects with fails whoever asked. */
  onConnect?: ((client: PoolClient) => unknown) | undefined;
  /** Checks each new client before anybody gets it, and calls back, with an error where it is not fit. */
  verify?: ((client: PoolClient, done: (error?: Error | boolean) => void) => void) | undefined;
  /** What makes the clients. Default: `Client`. */
  Client?: ClientConstructor | undefined;
  /** Is told what the pool does, for debugging. */
  log?: ((...messages: unknown[]) => void) | undefined;
}

/** A pool's options with their defaults: read whenever they are needed, so that they may be changed. */
export interface PoolOptions extends PoolConfig {
  /** As {@linkcode PoolConfig.max}. */
  max: number;
  /** As {@linkcode PoolConfig.min}. */
  min: number;
  /** As {@linkcode PoolConfig.maxUses}. */
  maxUses: number;
  /** As {@linkcode PoolConfig.maxLifetimeSeconds}. */
  maxLifetimeSeconds: number;
  /** As {@linkcode PoolConfig.allowExitOnIdle}. */
  allowExitOnIdle: boolean;
  /** As {@linkcode PoolConfig.idleTimeoutMillis}. */
  idleTimeoutMillis: number | null;
}

const DEFAULT_MAX = 10;
const DEFAULT_IDLE_TIMEOUT_MILLIS = 10_000;

/** What is a password or a key, and so does not show when the pool is printed, as in node-postgres. */
const HIDDEN = ["password", "sslkey", "sslpassword", "oauthBearerToken"] as const;

/** Where printers ask an object how it wants to be shown: JSON, Node's, and Deno's. */
const PRINTERS = ["toJSON", Symbol.for("nodejs.util.inspect.custom"), Symbol.for("Deno.customInspect")] as const;

/**
 * The options of a pool, apart from what it was given.
 *
 * @throws {ConfigError} `POOL_OPTION` for a number that is none
 */
export function poolOptions(input: string | URL | PoolConfig | undefined | null): PoolOptions {
  const given: PoolConfig = typeof input === "string" || input instanceof URL
    ? { connectionString: input }
    : input ?? {};
  const options: PoolOptions = {
    ...given,
    max: count("max", given.max || given.poolSize, DEFAULT_MAX),
    min: count("min", given.min, 0),
    maxUses: count("maxUses", given.maxUses, Infinity),
    maxLifetimeSeconds: count("maxLifetimeSeconds", given.maxLifetimeSeconds, 0),
    allowExitOnIdle: given.allowExitOnIdle || false,
    idleTimeoutMillis: given.idleTimeoutMillis === undefined ? DEFAULT_IDLE_TIMEOUT_MILLIS : given.idleTimeoutMillis,
  };
  for (const name of HIDDEN) {
    // A spread has what can be enumerated; the password of another pool's options cannot.
    if (given[name] !== undefined) hide(options, name, given[name]);
  }
  if (typeof given.ssl === "object" && given.ssl !== null) options.ssl = sslWithoutSecretsShown(given.ssl);
  // It holds a password as well, and must be in a copy by spread: a class of the program's own makes its clients of one.
  const shown = () => ({ ...options, connectionString: undefined });
  for (const printer of PRINTERS) hide(options, printer, shown);
  return options;
}

/**
 * What a client of the pool is told. The pool's idle timeout is none of our clients' business: they would end themselves
 * by it. Others are told all, as node-postgres's pool does.
 */
export function clientOptions(options: PoolOptions, Class: ClientConstructor): ClientConfig {
  if (Class !== Client && !(Class.prototype instanceof Client)) return options;
  const { idleTimeoutMillis: _, ...descriptors } = Object.getOwnPropertyDescriptors(options);
  return Object.defineProperties({}, descriptors as PropertyDescriptorMap);
}

function hide<T extends object>(target: T, name: string | symbol, value: unknown): T {
  return Object.defineProperty(target, name, { value, enumerable: false, configurable: true, writable: true });
}

/** As in node-postgres, 0 and the like mean the default. */
function count(name: string, value: unknown, otherwise: number): number {
  const number = Number(value || otherwise);
  if (number >= 0) return number;
  throw new ConfigError("POOL_OPTION", `the pool's option ${name} must be a number, and not below 0`, {
    phase: "config",
  });
}
