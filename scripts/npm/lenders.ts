/**
 * What takes the place of src/client/pool/lenders.ts in pages, which have no requests to keep apart.
 *
 * @module
 */

import type { PoolLender } from "../../src/client/pool/lender.ts";

/** The one lender. */
export class PoolLenders {
  readonly here: PoolLender;

  constructor(make: () => PoolLender) {
    this.here = make();
  }

  end(): Promise<void> {
    return this.here.end();
  }
}
