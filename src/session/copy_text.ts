/**
 * Whether a text says COPY first: then the server may wait for data, and nothing may be sent behind it.
 *
 * @see PostgreSQL documentation, "Lexical Structure", "Comments"
 * @module
 */

const COPY = /copy\b/iy;
const SPACE_OR_LINE_COMMENT = /(?:[\s;]+|--.*)+/y;
const COMMENT_EDGE = /\/\*|\*\//g;

/** Looks behind white space, empty statements and comments, but not behind a first statement. */
export function beginsWithCopy(text: string): boolean {
  const first = text.charCodeAt(0) | 0x20;
  if (first !== 0x63 && first >= 0x61 && first <= 0x7a) return false; // a letter, and no c
  let at = 0;
  for (;;) {
    SPACE_OR_LINE_COMMENT.lastIndex = at;
    if (SPACE_OR_LINE_COMMENT.test(text)) at = SPACE_OR_LINE_COMMENT.lastIndex;
    if (!text.startsWith("/*", at)) break;
    at = endOfComment(text, at);
  }
  COPY.lastIndex = at;
  return COPY.test(text);
}

/** The end of a block comment, which may have others inside. */
function endOfComment(text: string, start: number): number {
  COMMENT_EDGE.lastIndex = start;
  let depth = 0;
  for (let edge = COMMENT_EDGE.exec(text); edge !== null; edge = COMMENT_EDGE.exec(text)) {
    depth += edge[0] === "/*" ? 1 : -1;
    if (depth === 0) return COMMENT_EDGE.lastIndex;
  }
  return text.length;
}
