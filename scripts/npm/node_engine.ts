/**
 * What takes the place of src/tls/node_engine.ts in pages, which are not Node.
 *
 * @module
 */

import type * as original from "../../src/tls/node_engine.ts";

export const nodeTls: typeof original.nodeTls = () => Promise.resolve(undefined);

export const wolfsslOrNode: typeof original.wolfsslOrNode = (_options, wolfssl) => wolfssl();
