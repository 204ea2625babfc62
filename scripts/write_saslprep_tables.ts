/**
 * Writes `src/auth/saslprep_tables.ts`: `deno run -A scripts/write_saslprep_tables.ts`.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { saslprepTablesSource } from "./saslprep_tables.ts";

await writeFile(fileURLToPath(new URL("../src/auth/saslprep_tables.ts", import.meta.url)), saslprepTablesSource());
