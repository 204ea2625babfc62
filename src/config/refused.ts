/**
 * What libpq can insist on for safety's sake and nothing here can do: it is refused rather than ignored.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { describe, type Settings } from "./settings.ts";

/** Where a connection is to lead, as far as it matters here. */
export interface Reach {
  readonly tls: boolean;
  readonly socketDirectory: boolean;
}

interface Refused {
  readonly option: string;
  /** Values that ask for nothing, or for what holds anyway. */
  readonly harmless: readonly string[];
  readonly matters: (reach: Reach) => boolean;
  readonly instead: string;
}

const always = () => true;
const inTls = ({ tls }: Reach) => tls;

const REFUSED: readonly Refused[] = [
  {
    option: "sslcrl",
    harmless: [],
    matters: inTls,
    instead: "no revocation list is read: with Node's TLS, ssl.crl is",
  },
  {
    option: "sslcrldir",
    harmless: [],
    matters: inTls,
    instead: "no revocation list is read: with Node's TLS, ssl.crl is",
  },
  {
    option: "sslcertmode",
    harmless: ["allow"],
    matters: inTls,
    instead: "the client's certificate is sent where sslcert is given and the server asks for it",
  },
  {
    option: "ssl_min_protocol_version",
    harmless: ["TLSv1", "TLSv1.1", "TLSv1.2"],
    matters: inTls,
    instead: "TLS 1.2 is the lowest: with Node's TLS, ssl.minVersion can raise it",
  },
  {
    option: "requirepeer",
    harmless: [],
    matters: ({ socketDirectory }) => socketDirectory,
    instead: "no runtime tells who listens at a Unix-domain socket: let the folder's permissions say it",
  },
  { option: "gssencmode", harmless: ["disable", "prefer"], matters: always, instead: "use TLS: sslmode=verify-full" },
];

/** The options here, for those who list all. */
export const REFUSED_OPTIONS: readonly string[] = REFUSED.map(({ option }) => option);

/** @throws {ConfigError} `CONFIG_UNSUPPORTED` for what would make the connection safer and cannot be had */
export function assertNothingRefused(settings: Settings, reach: Reach): void {
  for (const { option, harmless, matters, instead } of REFUSED) {
    const setting = settings.find(option);
    if (setting === undefined || !matters(reach) || harmless.includes(String(setting.value))) continue;
    throw new ConfigError("CONFIG_UNSUPPORTED", `${describe(setting)} cannot be honoured here; ${instead}`, {
      phase: "config",
    });
  }
}
