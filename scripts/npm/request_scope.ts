/**
 * What takes the place of src/session/request_scope.ts in pages, which have no requests to keep apart.
 *
 * @module
 */

/** Nobody else's. */
export class RequestScope {
  readonly here = true;
}
