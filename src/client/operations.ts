/**
 * What a client can do beyond queries, in one part that is loaded when any of it is first asked for (`place.ts`).
 *
 * @module
 */

export { CATALOG_QUERY, registerCatalog } from "../types/catalog.ts";
export { copyText } from "../types/copy_text.ts";
export { CopyReader } from "./copy_reader.ts";
export { CopyWriter } from "./copy_writer.ts";
export { PortalReader } from "./portal_reader.ts";
export { runSubmittable } from "./submittable_run.ts";
export { Transactions } from "./transaction.ts";
