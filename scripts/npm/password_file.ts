/**
 * What takes the place of src/session/password_file.ts in pages, which have no files.
 *
 * @module
 */

import type * as original from "../../src/session/password_file.ts";

export const passwordFromFile: typeof original.passwordFromFile = () => Promise.resolve(undefined);
