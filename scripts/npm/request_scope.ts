/**
 * What takes the place of src/session/request_scope.ts in pages, which have no requests to keep apart.
 *
 * @module
 */

import { ClientError } from "../../src/errors.ts";
import type * as original from "../../src/session/request_scope.ts";

/** Nobody else's. */
export class RequestScope {
  readonly here = true;
}

export const ofAnotherRequest: typeof original.ofAnotherRequest = (place) =>
  new ClientError("CLIENT_OTHER_REQUEST", "the client was connected in another request", place);
