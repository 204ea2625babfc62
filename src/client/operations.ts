/**
 * What a client can do beyond queries, in one part that is loaded when any of it is first asked for (`place.ts`).
 *
 * @module
 */

export { CATALOG_QUERY, registerCatalog } from "../types/catalog.ts";
export { CopyReader, copyRows } from "./copy/reader.ts";
export { CopyWriter } from "./copy/writer.ts";
export { PortalReader } from "./rows/portal_reader.ts";
export { ReplicationQuery } from "./query/replication.ts";
export { RowReader } from "./rows/row_reader.ts";
export { runSubmittable } from "./query/submittable_run.ts";
export { Transactions } from "./transaction/transaction.ts";
