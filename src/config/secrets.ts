/**
 * How the resolved options keep secrets out of logs.
 *
 * @module
 */

/**
 * Adds fields that can be read, but that nothing which lists, prints, copies or serializes an object comes across: not
 * enumerable, and behind a getter, so that even `showHidden` shows no value.
 */
export function withHidden<Shown extends object, Hidden extends object>(shown: Shown, hidden: Hidden): Shown & Hidden {
  for (const [name, value] of Object.entries(hidden)) {
    Object.defineProperty(shown, name, { get: () => value, enumerable: false });
  }
  return shown as Shown & Hidden;
}

const SECRETS_OF_SSL = ["key", "passphrase", "pfx"] as const;

/** A copy of an `ssl` object, whose secrets can be read and do not show; they may have been hidden by whoever gave it. */
export function sslWithoutSecretsShown(ssl: object): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = { ...ssl };
  for (const name of SECRETS_OF_SSL) {
    const value = (ssl as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) {
      Object.defineProperty(shown, name, { value, enumerable: false, configurable: true, writable: true });
    }
  }
  return shown;
}
