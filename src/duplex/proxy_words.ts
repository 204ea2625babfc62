/**
 * What our proxy says of a target that it cannot reach, and the codes that a socket of one's own would have failed with.
 * The words are for a stranger: of the system's error only the kind, never its text, which names addresses and paths.
 *
 * @module
 */

const UNREACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ETIMEDOUT: "nobody answered",
};

/** The words for a code of the system's. */
export function unreachedWords(code: string | undefined): string {
  return UNREACHED[code ?? ""] ?? "the connection failed";
}

/** A name that no name server knows. */
export const UNRESOLVED = "cannot be resolved";

/** What a socket's error would have said, under Node's names, where a proxy's words say so much. */
export function unreachedCode(words: string): { readonly code: string; readonly syscall: string } | undefined {
  if (words.endsWith(` ${UNRESOLVED}`)) return { code: "ENOTFOUND", syscall: "getaddrinfo" };
  const code = Object.keys(UNREACHED).find((code) => words.includes(`: ${UNREACHED[code]}`));
  return code === undefined ? undefined : { code, syscall: "connect" };
}
