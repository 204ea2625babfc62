/**
 * What takes the place of src/config/environment.ts in pages, which have none.
 *
 * @module
 */

import type * as original from "../../src/config/environment.ts";

export const environment: typeof original.environment = {
  kind: "environment",
  describe: (option) => option,
  get: () => undefined,
};

export const environmentParameters: typeof original.environmentParameters = () => ({});
