/**
 * Lists of hosts and ports, as libpq takes them: `host=a,b port=1,2`.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import type { HostAddress, TargetSessionAttrs } from "./options.ts";
import { chosen, type Settings } from "./settings.ts";

const DEFAULT_PORT = 5432;
const TARGETS = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;

/**
 * The hosts with their ports: one port for all, or one for each.
 *
 * @throws {ConfigError} `CONFIG_PORT`
 */
export function pairHosts(hosts: readonly string[], ports: readonly number[]): readonly HostAddress[] {
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new ConfigError(
      "CONFIG_PORT",
      `there are ${ports.length} ports for ${hosts.length} hosts: name one, or one for each`,
      {
        phase: "config",
      },
    );
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
  const setting = settings.find("target_session_attrs");
  return setting === undefined ? "any" : chosen(setting, TARGETS);
}

/** @throws {ConfigError} `CONFIG_VALUE` */
export function resolveLoadBalance(settings: Settings): boolean {
  const setting = settings.find("load_balance_hosts");
  return setting !== undefined && chosen(setting, ["disable", "random"] as const) === "random";
}
