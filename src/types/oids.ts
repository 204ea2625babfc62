/**
 * The OIDs of PostgreSQL's own types (`pg_type.dat`). They are the same in every database.
 *
 * @module
 */

/**
 * The base types by name, as npm `pg-types` lists them, for `setTypeParser`.
 *
 * @example
 * ```ts
 * import { builtins, types } from "@pgduplex/pgduplex";
 * types.setTypeParser(builtins.INT8, BigInt);
 * ```
 */
export const builtins = {
  BOOL: 16,
  BYTEA: 17,
  CHAR: 18,
  INT8: 20,
  INT2: 21,
  INT4: 23,
  REGPROC: 24,
  TEXT: 25,
  OID: 26,
  TID: 27,
  XID: 28,
  CID: 29,
  JSON: 114,
  XML: 142,
  PG_NODE_TREE: 194,
  SMGR: 210,
  PATH: 602,
  POLYGON: 604,
  CIDR: 650,
  FLOAT4: 700,
  FLOAT8: 701,
  ABSTIME: 702,
  RELTIME: 703,
  TINTERVAL: 704,
  CIRCLE: 718,
  MACADDR8: 774,
  MONEY: 790,
  MACADDR: 829,
  INET: 869,
  ACLITEM: 1033,
  BPCHAR: 1042,
  VARCHAR: 1043,
  DATE: 1082,
  TIME: 1083,
  TIMESTAMP: 1114,
  TIMESTAMPTZ: 1184,
  INTERVAL: 1186,
  TIMETZ: 1266,
  BIT: 1560,
  VARBIT: 1562,
  NUMERIC: 1700,
  REFCURSOR: 1790,
  REGPROCEDURE: 2202,
  REGOPER: 2203,
  REGOPERATOR: 2204,
  REGCLASS: 2205,
  REGTYPE: 2206,
  UUID: 2950,
  TXID_SNAPSHOT: 2970,
  PG_LSN: 3220,
  PG_NDISTINCT: 3361,
  PG_DEPENDENCIES: 3402,
  TSVECTOR: 3614,
  TSQUERY: 3615,
  GTSVECTOR: 3642,
  REGCONFIG: 3734,
  REGDICTIONARY: 3769,
  JSONB: 3802,
  REGNAMESPACE: 4089,
  REGROLE: 4096,
} as const;

/** Base types that pg-types has no name for. */
export const otherTypes = {
  NAME: 19,
  POINT: 600,
  UNKNOWN: 705,
} as const;

/** Arrays, by the name of their element. */
export const arrays = {
  JSON: 199,
  CIDR: 651,
  MONEY: 791,
  BOOL: 1000,
  BYTEA: 1001,
  INT2: 1005,
  INT4: 1007,
  REGPROC: 1008,
  TEXT: 1009,
  BPCHAR: 1014,
  VARCHAR: 1015,
  INT8: 1016,
  POINT: 1017,
  FLOAT4: 1021,
  FLOAT8: 1022,
  OID: 1028,
  MACADDR: 1040,
  INET: 1041,
  TIMESTAMP: 1115,
  DATE: 1182,
  TIME: 1183,
  TIMESTAMPTZ: 1185,
  INTERVAL: 1187,
  NUMERIC: 1231,
  TIMETZ: 1270,
  UUID: 2951,
  JSONB: 3807,
  NUMRANGE: 3907,
} as const;
