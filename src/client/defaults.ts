import type { ClientConfig } from "../config/client_config.ts";

/** node-postgres's `defaults`: what holds where neither the options nor the environment say otherwise. */
export interface Defaults extends ClientConfig {
  /** True: dates given as parameters are sent in UTC rather than in local time. Default false. */
  parseInputDatesAsUTC?: boolean | undefined;
}

/**
 * The defaults of every client made from now on. Change them before making clients.
 *
 * @example
 * ```ts
 * import { defaults } from "@pgduplex/pgduplex";
 * defaults.application_name = "shop";
 * ```
 */
export const defaults: Defaults = {};
