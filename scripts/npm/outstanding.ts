/** In pages nobody traces queries by what is outstanding (`src/client/outstanding.ts`). @module */

/** None that shows. */
export function outstandingQueries(): object[] {
  return [];
}
