/**
 * The protocol's request codes and versions, by the names that PostgreSQL's documentation uses (chapter
 * "Frontend/Backend Protocol", "Message Formats").
 *
 * @module
 */

export * as Backend from "./backend_types.ts";

/** What stands where a StartupMessage has its protocol version. */
export const RequestCode = {
  Cancel: 80877102,
  Ssl: 80877103,
  GssEncryption: 80877104,
} as const;

/** Protocol versions as a StartupMessage carries them: major in the high half, minor in the low. */
export const ProtocolVersion = { "3.0": 0x0003_0000, "3.2": 0x0003_0002 } as const;

/** ReadyForQuery's transaction status. */
export type TransactionStatus = "I" | "T" | "E";
