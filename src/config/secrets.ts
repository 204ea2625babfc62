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
