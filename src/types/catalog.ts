/**
 * Types of a database's own: what its catalog says of them, and how their values are decoded.
 *
 * @see PostgreSQL documentation, "System Catalogs", "pg_type"
 * @module
 */

import { textArrayDecoder } from "./arrays.ts";
import { binaryArrayDecoder } from "./binary_arrays.ts";
import type { ByteDecoder, Format } from "./codec.ts";
import { binaryCompositeDecoder, textCompositeDecoder } from "./composites.ts";
import { decodeBinaryHstore, decodeHstore } from "./hstore.ts";
import { parserOf } from "./parsers.ts";
import { binaryMultirangeDecoder, binaryRangeDecoder, textMultirangeDecoder, textRangeDecoder } from "./ranges.ts";
import { TypeRegistry } from "./registry.ts";

/** One type, as {@linkcode CATALOG_QUERY} gives it. */
export type CatalogType = readonly [
  oid: number,
  kind: "array" | "composite" | "domain" | "hstore" | "range" | "multirange",
  /** Of an array, a domain, a range or a multirange: the type it is made of. */
  inner: number,
  /** Of a composite type. */
  attributes: readonly (readonly [name: string, oid: number])[] | null,
];

/**
 * All types of the database whose values are made of others, the catalogs' own rows aside. Arrays separated by anything
 * but commas (`box[]`) stay as they are.
 */
export const CATALOG_QUERY = `
select t.oid,
  case when t.typname = 'hstore' and t.typtype = 'b' then 'hstore' when t.typcategory = 'A' then 'array' else
    case t.typtype when 'c' then 'composite' when 'd' then 'domain' when 'r' then 'range' else 'multirange' end end,
  case when t.typcategory = 'A' then t.typelem when t.typtype = 'd' then t.typbasetype
    when t.typtype = 'r' then r.rngsubtype when t.typtype = 'm' then m.rngtypid else 0::oid end,
  (select json_agg(json_build_array(a.attname, a.atttypid::int8) order by a.attnum) from pg_catalog.pg_attribute a
    where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_range r on r.rngtypid = t.oid
left join pg_catalog.pg_range m on t.typtype = 'm' and pg_catalog.to_jsonb(m)->>'rngmultitypid' = t.oid::text
left join pg_catalog.pg_type e on e.oid = t.typelem
where (t.typtype in ('c', 'd', 'r', 'm') or t.typname = 'hstore' or (t.typcategory = 'A' and t.typelem <> 0))
  and coalesce(e.typdelim, ',') = ','
  and (n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') or t.typtype in ('r', 'm') or e.typtype in ('r', 'm'))`;

/**
 * Registers decoders for the types, so that their values are arrays, objects and {@linkcode Range}s. What somebody has
 * registered a parser for keeps it; parsers of the types that they are made of are obeyed, also later ones.
 */
export function registerCatalog(registry: TypeRegistry, types: readonly CatalogType[]): void {
  const pristine = new TypeRegistry();
  for (const type of types) {
    const [oid] = type;
    for (const format of FORMATS) {
      const name = format === 0 ? "text" : "binary";
      if (registry.getTypeParser(oid, name) !== pristine.getTypeParser(oid, name)) continue;
      const decoder = decoderFor(registry, type, format);
      registry.setTypeParser(oid, name as "text", parserOf(decoder));
    }
  }
}

const FORMATS: readonly Format[] = [0, 1];

function decoderFor(registry: TypeRegistry, [, kind, inner, attributes]: CatalogType, format: Format): ByteDecoder {
  // Looked up for each value: the types may come in any order, and contain each other.
  const lookUp = (oid: number): ByteDecoder => (bytes, start, end) => registry.decoder(oid, format)(bytes, start, end);
  const text = format === 0;
  switch (kind) {
    case "array":
      return (text ? textArrayDecoder : binaryArrayDecoder)(lookUp(inner));
    case "composite": {
      const decoded = (attributes ?? []).map(([name, oid]) => ({ name, decode: lookUp(oid) }));
      return (text ? textCompositeDecoder : binaryCompositeDecoder)(decoded);
    }
    case "domain":
      return lookUp(inner);
    case "hstore":
      return text ? decodeHstore : decodeBinaryHstore;
    case "range":
      return (text ? textRangeDecoder : binaryRangeDecoder)(lookUp(inner));
    case "multirange":
      return (text ? textMultirangeDecoder : binaryMultirangeDecoder)(lookUp(inner));
  }
}
