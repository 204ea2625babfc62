/**
 * What libpq can insist on for safety's sake and nothing here can do: it is refused rather than ignored.
 *
 * @module
 */

import { type Settings, wrong } from "./settings.ts";

/** By option: the values that ask for nothing, or for what holds anyway; where others matter; what to do instead. */
const REFUSED: Readonly<Record<string, readonly [harmless: string, where: keyof Reach | undefined, instead: string]>> =
  {
    sslcrl: ["", "tls", "Node's TLS takes ssl.crl"],
    sslcrldir: ["", "tls", "Node's TLS takes ssl.crl"],
    sslcertmode: ["allow", "tls", "sslcert is sent where the server asks for it"],
    requirepeer: ["", "socketDirectory", "no runtime tells who listens at a Unix-domain socket"],
    gssencmode: ["disable prefer", undefined, "use TLS"],
  };

/** Where a connection is to lead, as far as it matters here. */
export interface Reach {
  readonly tls: boolean;
  readonly socketDirectory: boolean;
}

/** The options here, for those who list all. */
export const REFUSED_OPTIONS: readonly string[] = Object.keys(REFUSED);

/** @throws {ConfigError} `CONFIG_UNSUPPORTED` for what would make the connection safer and cannot be had */
export function assertNothingRefused(settings: Settings, reach: Reach): void {
  for (const [option, [harmless, where, instead]] of Object.entries(REFUSED)) {
    const setting = settings.find(option);
    if (setting === undefined || harmless.split(" ").includes(String(setting.value))) continue;
    if (where !== undefined && !reach[where]) continue;
    throw wrong(setting, `cannot be honoured here: ${instead}`, "CONFIG_UNSUPPORTED");
  }
}
