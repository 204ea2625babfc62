/**
 * What takes the place of src/config/certificate_files.ts in pages, which have no files.
 *
 * @module
 */

import type * as original from "../../src/config/certificate_files.ts";
import { wrong } from "../../src/config/settings.ts";

export const readNamedFile: typeof original.readNamedFile = (_path, setting) => {
  throw wrong(setting, "must be PEM text: there are no files here", "CONFIG_FILE");
};

export const libpqRootFile: typeof original.libpqRootFile = () => undefined;
