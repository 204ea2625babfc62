import { ProtocolError } from "../errors.ts";

/** PostgreSQL 18 reports 15 parameters, and extensions may add theirs; a peer must not fill our memory with them. */
const MAX_PARAMETERS = 256;
/** In characters, name and value together. */
const MAX_PARAMETER_LENGTH = 65_536;

/** The run-time parameters that a server reports by ParameterStatus, such as `server_version`. */
export class RunTimeParameters extends Map<string, string> {
  /** @throws {ProtocolError} `PROTOCOL_PARAMETERS` */
  report(parameter: string, value: string): void {
    const full = this.size === MAX_PARAMETERS && !this.has(parameter);
    if (full || parameter.length + value.length > MAX_PARAMETER_LENGTH) {
      throw new ProtocolError(
        "PROTOCOL_PARAMETERS",
        "the server reports more run-time parameters, or longer ones, than any PostgreSQL does",
      );
    }
    this.set(parameter, value);
  }
}
