/**
 * Lists of hosts and ports, as libpq takes them: `host=a,b port=1,2`.
 *
 * @module
 */

import { failure } from "./failure.ts";
import type { HostAddress, TargetSessionAttrs } from "./options.ts";
import type { Settings } from "./settings.ts";

const DEFAULT_PORT = 5432;
const TARGETS = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;

/**
 * The hosts with their ports: one port for all, or one for each.
 *
 * @throws {ConfigError} `CONFIG_PORT`
 */
export function pairHosts(hosts: readonly string[], ports: readonly number[]): readonly HostAddress[] {
  if (ports.length > 1 && ports.length !== hosts.length) {
    const message = `there are ${ports.length} ports for ${hosts.length} hosts: name one, or one for each`;
    throw failure("CONFIG_PORT", message);
  }
  return Object.freeze(
    hosts.map((host, index) =>
      Object.freeze({ host, port: (ports.length > 1 ? ports[index] : ports[0]) ?? DEFAULT_PORT })
    ),
  );
}

/** The parts of `port`; a part that is empty is the default port. */
export function splitPorts(value: unknown): unknown[] {
  if (typeof value !== "string" || !value.includes(",")) return [value];
  return value.split(",").map((part) => part.trim() === "" ? DEFAULT_PORT : part.trim());
}

/** @throws {ConfigError} `CONFIG_VALUE` */
export function resolveTarget(settings: Settings): TargetSessionAttrs {
  return settings.oneOf(TARGETS, "target_session_attrs") ?? "any";
}

/** @throws {ConfigError} `CONFIG_VALUE` */
export function resolveLoadBalance(settings: Settings): boolean {
  return settings.oneOf(["disable", "random"] as const, "load_balance_hosts") === "random";
}
