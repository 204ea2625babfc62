/**
 * Node's own modules, where the runtime has them.
 *
 * @module
 */

/**
 * A module of Node's by its name, on Node, Bun, Deno and whatever else offers it; undefined elsewhere. It is not an
 * import, so that a bundler for browsers or Workers never meets a `node:` specifier.
 */
export function builtinModule<Module>(name: `node:${string}`): Module | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  try {
    return process?.getBuiltinModule?.(name) as Module | undefined;
  } catch {
    return undefined; // Next.js gives edge functions a `process` whose functions throw
  }
}
