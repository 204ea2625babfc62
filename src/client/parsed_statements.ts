import type { PreparedStatement } from "../session/statements.ts";

/**
 * A session's prepared statements as node-postgres shows them: texts by name. What is deleted here is parsed anew by the
 * next query of that name, as programs expect which deallocate statements by themselves.
 */
export function parsedStatements(
  control: { readonly statements: Map<string, PreparedStatement> | undefined },
): Record<string, string> {
  const textOf = (name: string | symbol) => typeof name === "string" ? control.statements?.get(name)?.text : undefined;
  return new Proxy<Record<string, string>>({}, {
    get: (_, name) => textOf(name),
    has: (_, name) => textOf(name) !== undefined,
    set: (_, name, text) => {
      control.statements?.set(String(name), { text: String(text), description: undefined });
      return true;
    },
    deleteProperty: (_, name) => {
      control.statements?.delete(String(name));
      return true;
    },
    ownKeys: () => [...control.statements?.keys() ?? []],
    getOwnPropertyDescriptor: (_, name) => {
      const value = textOf(name);
      return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
  });
}
