/** What an error, or whatever was thrown in its place, says. */
export function wordsOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return [...new Set(cause.errors.map(wordsOf))].join("; ");
  }
  if (cause instanceof Error) {
    const { reason } = cause as { reason?: unknown };
    // The message of OpenSSL's own errors is a place in its source; Node keeps their reason apart.
    if (typeof reason === "string" && codeOf(cause)?.startsWith("ERR_SSL_")) return reason;
    return cause.message.trim() || codeOf(cause) || cause.name;
  }
  return typeof cause === "string" && cause !== "" ? cause : "no reason given";
}

/** The system's code or the platform's class of an error, such as `ECONNREFUSED` or `NotCapable`. */
export function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null) return undefined;
  const { code, name } = cause as { code?: unknown; name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" ? name : undefined;
}
