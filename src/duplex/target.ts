/**
 * Where a connection is to lead, and how that is written for a person.
 *
 * @module
 */

/** Whom to connect to, for every adapter alike. */
export interface Target {
  /** A name, an IP address, or the directory of a Unix-domain socket (begins with `/`, or `@` for an abstract one). */
  readonly host: string;
  readonly port: number;
  /** Whether TCP keep-alive probes are sent, where the platform can; default false. */
  readonly keepAlive?: boolean | undefined;
  /** Silence before the first probe, in milliseconds; 0 (the default) leaves it to the system. */
  readonly keepAliveInitialDelayMillis?: number | undefined;
  /** Gives the constructor of a WebSocket to use instead of the runtime's own. */
  readonly webSocket?: (() => (new (url: string, protocols?: string[]) => object) | undefined) | undefined;
  /** Aborts the opening, which then releases its socket at once. */
  readonly signal?: AbortSignal | undefined;
}

/** The path of the Unix-domain socket that the target means, as libpq builds it; undefined for TCP. */
export function unixSocketPath({ host, port }: Target): string | undefined {
  if (!host.startsWith("/") && !host.startsWith("@")) return undefined;
  return `${host.replace(/\/+$/, "")}/.s.PGSQL.${port}`;
}

/** `db.example.com:5432`, `[::1]:5432`, `/run/postgresql/.s.PGSQL.5432`. */
export function remoteName(target: Target): string {
  return unixSocketPath(target) ?? hostAndPort(target.host, target.port);
}

/** `host:port`, an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  const bracketed = host.includes(":") && !host.startsWith("[");
  return bracketed ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether `host` is an IP address, for which TLS sends no name (RFC 6066 section 3). */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
