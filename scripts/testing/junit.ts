/**
 * Reads the JUnit reports of `deno test` and `node --test`, the one machine-readable format that both write.
 *
 * @module
 */

/** One test of a report. */
export interface TestCase {
  /** With the names of the tests it is a part of: `parent > child`. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped; Deno does not tell. */
  readonly reason?: string | undefined;
  /** The source file and line, which Deno tells. */
  readonly place?: string | undefined;
}

/** The tests of a report, each once: one with steps is counted by its steps. */
export function parseJunit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const suites: string[] = [];
  for (const [, suiteEnd, suite, test, selfClosing, body] of xml.matchAll(ELEMENTS)) {
    if (suiteEnd) suites.pop();
    else if (suite !== undefined) suites.push(attribute(suite, "name"));
    else if (test !== undefined) cases.push(readCase(test, selfClosing ? "" : body ?? "", suites));
  }
  return cases.filter(({ name }) => !cases.some((other) => other.name.startsWith(`${name} > `)));
}

/** A suite's end or start tag, or a whole test case; attributes and texts are escaped, so that no `<` stands in them. */
const ELEMENTS =
  /(<\/testsuite>)|<testsuite\s([^<]*?[^/<])>|<testcase\s((?:"[^"]*"|[^"<])*?)(?:(\/)>|>([\s\S]*?)<\/testcase>)/g;

function readCase(attributes: string, body: string, suites: readonly string[]): TestCase {
  const file = attribute(attributes, "classname");
  const line = attribute(attributes, "line");
  // Deno's suites are files and its steps' names are whole; Node's suites are the tests around the test.
  const name = line === "" ? [...suites, attribute(attributes, "name")].join(" > ") : attribute(attributes, "name");
  const place = line === "" ? undefined : `${file}:${line}`;
  if (/<failure[\s>]/.test(body) || /<error[\s>]/.test(body)) return { name, outcome: "failed", place };
  const skipped = /<skipped([^>]*)>/.exec(body);
  if (!skipped) return { name, outcome: "passed", place };
  const reason = attribute(skipped[1] ?? "", "message");
  return { name, outcome: "skipped", reason: reason === "" || reason === "true" ? undefined : reason, place };
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  // Node escapes quotation marks twice.
  return unescape(unescape(value));
}

function unescape(text: string): string {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (whole, name) => characters[name] ?? whole);
}
