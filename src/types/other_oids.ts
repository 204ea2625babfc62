/**
 * The OIDs of PostgreSQL's own types that pg-types has no names for (`pg_type.dat`).
 *
 * @module
 */

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
