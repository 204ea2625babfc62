/**
 * `Client` and `Pool` as the Neon driver has them: through a WebSocket, by the settings of `neonConfig`.
 *
 * @module
 */

import { Client as PgClient } from "../client/client.ts";
import { Pool as PgPool } from "../client/pool/pool.ts";
import type { ClientConstructor, PoolConfig } from "../client/pool/options.ts";
import type { ClientConfig } from "../config/client_config.ts";
import { clientConfig, type NeonConfig, ownSettings } from "./config.ts";

/**
 * One connection through a WebSocket proxy; in all else the {@linkcode PgClient | Client} of this library.
 *
 * @example
 * ```ts
 * import { Client, neonConfig } from "@pgduplex/pgduplex/neon";
 *
 * neonConfig.wsProxy = "proxy.example.com/v1";
 * const client = new Client("postgres://app:secret@db.example.com/shop");
 * await client.connect();
 * console.log((await client.query("select now()")).rows);
 * await client.end();
 * ```
 */
export class Client extends PgClient {
  /** This client's own settings; those that are not set are the global ones. */
  readonly neonConfig: NeonConfig;

  /**
   * Reads the options and the settings; nothing is opened before `connect`.
   *
   * @throws {ConfigError} for whatever cannot be used, before anything is sent
   */
  constructor(config?: string | URL | ClientConfig) {
    const settings = ownSettings();
    super(clientConfig(config, settings));
    this.neonConfig = settings;
  }
}

/**
 * A pool of such clients; in all else the {@linkcode PgPool | Pool} of this library.
 *
 * @example
 * ```ts
 * import { Pool } from "@pgduplex/pgduplex/neon";
 *
 * await using pool = new Pool({ connectionString: "postgres://app:secret@db.example.com/shop" });
 * console.log((await pool.query("select now()")).rows);
 * ```
 */
export class Pool extends PgPool {
  /**
   * Makes an empty pool.
   *
   * @throws {ConfigError} `POOL_OPTION`
   */
  constructor(config?: string | URL | PoolConfig | null, ClientClass: ClientConstructor = Client) {
    super(config, ClientClass);
  }
}
