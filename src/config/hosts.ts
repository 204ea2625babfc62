/**
 * Where a connection may lead: hosts and ports, lists of both as libpq takes them (`host=a,b port=1,2`), and which of them
 * will do.
 *
 * @module
 */

import { failure } from "./failure.ts";
import type { HostAddress } from "./options.ts";
import { text } from "./readers.ts";
import { invalid, type Setting, type Settings, wrong } from "./settings.ts";

const DEFAULT_PORT = 5432;

/** Where a connection may lead. */
export interface Addresses {
  readonly hosts: readonly HostAddress[];
  /** The name to verify where a host is an address that was given beside it. */
  readonly hostName: string | undefined;
}

/**
 * The hosts with their ports: one port for all, or one for each. libpq: `hostaddr` is where to connect, `host` then is the
 * name to verify.
 *
 * @throws {ConfigError} `CONFIG_HOST`, `CONFIG_HOSTS`, `CONFIG_PORT`
 */
export function resolveAddresses(settings: Settings): Addresses {
  const named = settings.find("host");
  const addressed = settings.find("hostaddr");
  const hosts = named === undefined ? ["localhost"] : hostList(named);
  const addresses = addressed === undefined ? [] : hostList(addressed);
  const ports = settings.read(portList, "port") ?? [];
  // PGHOSTADDR belongs to PGHOST: it must not divert a client that was told a host.
  const { sources } = settings;
  const diverts = addressed && (!named || sources.indexOf(addressed.source) <= sources.indexOf(named.source));
  if (!diverts) return { hosts: pair(hosts, ports), hostName: undefined };
  if (hosts.length > 1 || addresses.length > 1) {
    throw failure("CONFIG_HOSTS", "hostaddr stands for one host: name several hosts without it");
  }
  if (!/^[\d.]+$|:/.test(addresses[0])) throw invalid(addressed, "an IP address", "CONFIG_HOST");
  return { hosts: pair(addresses, ports), hostName: named && !isSocketDirectory(hosts[0]) ? hosts[0] : undefined };
}

/** Whether a host is the directory of a Unix-domain socket. */
export function isSocketDirectory(host: string): boolean {
  return host.startsWith("/") || host.startsWith("@");
}

function pair(hosts: readonly string[], ports: readonly number[]): readonly HostAddress[] {
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

/** An empty one in a list is the default. */
function hostList(setting: Setting): string[] {
  return text(setting).split(",").map((each) => {
    const host = each.trim() || "localhost";
    if (isSocketDirectory(host)) return host;
    // Not quoted: a URL given as the host may contain a password.
    if (/[\s/\\?#@]/.test(host)) {
      const problem = "is neither a host name, nor an IP address, nor a directory that begins with /";
      throw wrong(setting, problem, "CONFIG_HOST");
    }
    return host.replace(/^\[(.*)\]$/, "$1");
  });
}

/** A part of a list that is empty is the default port. */
function portList(setting: Setting): number[] {
  const { value } = setting;
  const parts: readonly unknown[] = typeof value === "string" && value.includes(",")
    ? value.split(",").map((part) => part.trim() || DEFAULT_PORT)
    : [value];
  return parts.map((part) => {
    const port = typeof part === "string" && /^\d+$/.test(part) ? Number(part) : part;
    if (typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535) return port;
    throw invalid(setting, "a number from 1 to 65535", "CONFIG_PORT");
  });
}
