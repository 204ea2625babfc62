/**
 * The support table of the README: what of authentication and TLS works from where, as the runtime tests found it.
 *
 * @module
 */

import type { StepName } from "../../tests/runtimes/steps.ts";
import type { Runtime } from "../../tests/runtimes/runtime.ts";
import { type Row, wayOf } from "./verdict.ts";

const BEGIN = "<!-- The support table is written by `deno task test:runtimes`. -->";
const END = "<!-- The end of the support table. -->";

const AUTHENTICATION: readonly StepName[] = ["trust", "password", "MD5", "SCRAM", "SCRAM-PLUS", "certificate"];

/**
 * A README with its table brought up to date by `rows`. Lines of which not every runtime was run stay as they are, and
 * those that `runtimes` have no more are dropped.
 *
 * @throws {Error} where the README has no place for a table
 */
export function withSupportTable(readme: string, rows: readonly Row[], runtimes: readonly Runtime[]): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no support table: no "${BEGIN}" before "${END}"`);
  const known = tableLines(readme.slice(begin, end));
  const lines = waysOf(runtimes).map((way) => {
    const found = way.members.map((member) => rows.find((row) => isOf(row, member)));
    const complete = found.filter((row) => row !== undefined);
    return complete.length === found.length ? renderLine(way, complete) : known.get(keyOf(way.cells));
  });
  const table = [
    renderCells(HEAD),
    renderCells(HEAD.map((_, index) => index < 3 || index === HEAD.length - 1 ? "---" : ":-:")),
    ...lines.filter(Boolean),
  ];
  const text = [BEGIN, "<!-- deno-fmt-ignore-start -->", "", ...table, "", "<!-- deno-fmt-ignore-end -->", ""].join(
    "\n",
  );
  return readme.slice(0, begin) + text + readme.slice(end);
}

const HEAD = ["runtime", "transport", "TLS", "queries", ...AUTHENTICATION, "remarks"];

/** A line of the table: what several runtimes have in common. */
interface Way {
  readonly cells: readonly [group: string, transport: string, tls: string];
  readonly members: readonly Pick<Row, "runtime" | "combination">[];
}

function waysOf(runtimes: readonly Runtime[]): Way[] {
  const ways = new Map<string, { cells: Way["cells"]; members: Pick<Row, "runtime" | "combination">[] }>();
  for (const runtime of runtimes) {
    for (const combination of runtime.combinations) {
      const [transport = "", tls = ""] = wayOf({ ...combination, form: undefined }).split(", ");
      const cells = [runtime.group, transport, tls] as const;
      const way = ways.get(keyOf(cells)) ?? { cells, members: [] };
      way.members.push({ runtime, combination });
      ways.set(keyOf(cells), way);
    }
  }
  return Array.from(ways.values());
}

function isOf(row: Row, { runtime, combination }: Pick<Row, "runtime" | "combination">): boolean {
  return row.runtime.name === runtime.name && row.combination === combination;
}

function renderLine({ cells }: Way, rows: readonly Row[]): string {
  const works = (step: StepName) =>
    rows.every(({ steps }) => steps.some((judged) => judged.step === step && judged.outcome === "passed"));
  const lacks = new Set(rows.flatMap(({ combination: { lacks = {}, note } }) => [
    ...Object.entries(lacks).map(([step, { reason }]) => `${step}: ${reason}`),
    ...note === undefined ? [] : [note],
  ]));
  const others = rows.flatMap(({ steps }) => steps.map(({ step }) => step)).filter((step) =>
    !AUTHENTICATION.includes(step)
  );
  const queries = rows.every(({ failure }) => failure === undefined) &&
    others.every((step) => works(step) || isKnown(rows, step));
  return renderCells([
    ...cells,
    mark(queries),
    ...AUTHENTICATION.map((step) => mark(works(step))),
    Array.from(lacks).join("; "),
  ]);
}

/** Whether the way is known to lack the step, which then stands in the last column. */
function isKnown(rows: readonly Row[], step: StepName): boolean {
  return rows.every(({ combination }) => combination.lacks?.[step] !== undefined);
}

const mark = (works: boolean) => works ? "✓" : "–";

function renderCells(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The lines of a table by their first three cells. */
function tableLines(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line.startsWith("| "));
  return new Map(lines.map((line) => [keyOf(line.split("|").slice(1, 4).map((cell) => cell.trim())), line]));
}

const keyOf = (cells: readonly string[]) => cells.join(" | ");
