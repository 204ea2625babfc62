/**
 * What takes the place of src/config/known_options.ts in pages: that is loaded once there is something to warn of.
 *
 * @module
 */

import type * as original from "../../src/config/known_options.ts";

/** Options that are not asked for by name, or not always. */
const KNOWN =
  "connectionString ssl sslmode sslrootcert sslcert sslkey sslpassword rootCerts client_encoding types pipeline stream " +
  "Promise max min allowExitOnIdle maxUses maxLifetimeSeconds";

export const warnOfUnknownOptions: typeof original.warnOfUnknownOptions = (names, asked) => {
  const known = KNOWN.split(" ");
  const unknown = names.filter((name) => !asked.has(name) && !known.includes(name));
  if (unknown.length > 0) warn(unknown, asked).catch(() => {}); // what cannot be loaded warns of nothing
};

async function warn(names: readonly string[], asked: ReadonlySet<string>): Promise<void> {
  const { warnOfUnknownOptions } = await import("../../src/config/known_options.ts");
  warnOfUnknownOptions(names, asked);
}
