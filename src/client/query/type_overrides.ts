import type { TypeParserSource } from "../../types/codec.ts";
import { TypeRegistry, types } from "../../types/registry.ts";

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
  /**
   * An empty registry over another.
   *
   * @param userTypes Where to look for what is not registered here. Default: the global `types`.
   */
  constructor(userTypes?: TypeParserSource | null) {
    super(userTypes ?? types);
  }
}
