import type { DatabaseError } from "../errors.ts";
import type { FieldDescription } from "../protocol/row_description.ts";

/** A named statement that a session has sent to be parsed. */
export interface PreparedStatement {
  readonly text: string;
  /** Undefined until the server has described it. */
  description: Description | undefined;
  /** Why the server would not parse it, for those that were sent in the belief that it would. */
  refusal?: DatabaseError;
}

/** The columns of a statement's rows in one result format. */
export interface Description {
  readonly binary: boolean;
  /** Null for a statement that returns no rows. */
  readonly fields: readonly FieldDescription[] | null;
}
