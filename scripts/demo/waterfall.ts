/**
 * Where the time of a connect goes: a bar for each phase, with its milliseconds and network turns.
 *
 * @module
 */

import type { RelayedConnection } from "../../tests/fixtures/relay.ts";
import type { TlsInfo } from "../../src/tls/engine.ts";
import { pad } from "../table.ts";

/** A phase that ended `until` milliseconds after the start. */
export interface Phase {
  readonly name: string;
  readonly until: number;
  readonly turns: number;
}

/** One connect, from its start to its first row. */
export interface Connect {
  readonly title: string;
  /** By whom and how it is encrypted, as {@linkcode describeTls} says it. */
  readonly tls: string;
  readonly phases: readonly Phase[];
}

/** The moments of a connect, in milliseconds after its start. */
export interface Moments {
  readonly opened: number;
  readonly secured: number;
  readonly authenticated: number;
  readonly firstRow: number;
}

/** Splits a connect into phases, and the turns that a relay saw between them. */
export function phasesOf(moments: Moments, startedAt: number, connection: RelayedConnection, slack: number): Phase[] {
  const marks: [string, number][] = [
    ["open", moments.opened],
    ["TLS", moments.secured],
    ["auth", moments.authenticated],
    ["first row", moments.firstRow],
  ];
  let before = 0;
  return marks.map(([name, until]) => {
    // The client's clock started a little after ours: turns are farther apart than the slack.
    const turns = turnsUntil(connection, startedAt + until + slack);
    const phase = { name, until, turns: turns - before };
    before = turns;
    return phase;
  });
}

function turnsUntil({ chunks }: RelayedConnection, time: number): number {
  return Math.max(0, ...chunks.filter(({ from, at }) => from === "server" && at <= time).map(({ turn }) => turn));
}

/** Who secured a connection and what was agreed, as far as it is known: `wolfssl, TLSv1.3, X25519, TLS_AES_...`. */
export function describeTls(info: TlsInfo | undefined): string {
  if (info === undefined) return "no TLS";
  return [info.engine, info.protocol, info.group, info.cipher].filter((part) => part !== undefined).join(", ");
}

const BAR_WIDTH = 52;

/** Draws connects one under the other, on one scale. */
export function renderWaterfall(connects: readonly Connect[]): string {
  const longest = Math.max(...connects.flatMap(({ phases }) => phases.map(({ until }) => until)));
  const column = (millis: number) => Math.round(millis / longest * BAR_WIDTH);
  return connects.map(({ title, tls, phases }) => {
    const turns = phases.reduce((sum, phase) => sum + phase.turns, 0);
    const total = phases.at(-1)?.until ?? 0;
    const lines = phases.map(({ name, until, turns }, index) => {
      const from = phases[index - 1]?.until ?? 0;
      const bar = " ".repeat(column(from)) + ("█".repeat(column(until) - column(from)) || "▏");
      return `  ${pad(name, 10)}${pad(bar, BAR_WIDTH + 1)}${figures(until - from, turns)}`;
    });
    return [`${title}: ${tls}`, ...lines, `  ${pad("", 10 + BAR_WIDTH + 1)}${figures(total, turns)}`].join("\n");
  }).join("\n\n");
}

function figures(millis: number, turns: number): string {
  return `${millis.toFixed(1).padStart(7)} ms ${String(turns).padStart(3)} ${turns === 1 ? "turn" : "turns"}`;
}
