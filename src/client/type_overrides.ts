import type { TypeParserSource } from "../types/codec.ts";
import { TypeRegistry, types } from "../types/registry.ts";

/**
 * node-postgres's name for parsers of one's own over others': those given, else the global `types`.
 *
 * @example
 * ```ts
 * const own = new TypeOverrides();
 * own.setTypeParser(builtins.INT8, BigInt);
 * const client = new Client({ types: own });
 * ```
 */
export class TypeOverrides extends TypeRegistry {
  constructor(userTypes?: TypeParserSource | null) {
    super(userTypes ?? types);
  }
}
