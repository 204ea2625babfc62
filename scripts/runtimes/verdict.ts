/**
 * What a report means for a way that is known to lack some steps.
 *
 * @module
 */

import type { Report, StepReport } from "../../tests/runtimes/program.ts";
import type { Combination, Runtime } from "../../tests/runtimes/runtime.ts";
import { type StepName, stepNames } from "../../tests/runtimes/steps.ts";
import type { TestCase } from "../testing/junit.ts";

/** What became of one step. */
export interface Judged {
  readonly step: StepName;
  readonly outcome: "passed" | "failed" | "lacking";
  /** Why it failed or is lacking. */
  readonly reason?: string | undefined;
}

/** What became of one way from a runtime. */
export interface Row {
  readonly runtime: Runtime;
  readonly combination: Combination;
  readonly version: string;
  /** How long the program took, in milliseconds, with the start of the runtime. */
  readonly millis: number;
  readonly steps: readonly Judged[];
  /** Why there is no report. */
  readonly failure?: string | undefined;
}

/** A runtime that cannot be had here. */
export interface Skipped {
  readonly runtime: Runtime;
  readonly reason: string;
}

/** Holds a report against the steps of the way and what it is known to lack: no less may work, and no more. */
export function judge({ steps }: Report, { transport, lacks = {} }: Combination): Judged[] {
  return stepNames(transport === "websocket").map((name) => {
    const report = steps.find(({ step }) => step === name);
    return report === undefined
      ? { step: name, outcome: "failed", reason: "it is not in the report" }
      : judgeStep(report, lacks[name]);
  });
}

function judgeStep({ step, error }: StepReport, lack: { code: string; reason: string } | undefined): Judged {
  if (error === undefined) {
    return lack === undefined
      ? { step, outcome: "passed" }
      : { step, outcome: "failed", reason: `works now: it need not be called lacking (${lack.reason})` };
  }
  if (lack !== undefined && error.code === lack.code) return { step, outcome: "lacking", reason: lack.reason };
  return {
    step,
    outcome: "failed",
    reason: error.code === undefined ? error.message : `${error.code}: ${error.message}`,
  };
}

/** Whether all is as it is known to be. */
export function isGood({ steps, failure }: Row): boolean {
  return failure === undefined && steps.every(({ outcome }) => outcome !== "failed");
}

/** The way in words. */
export function wayOf({ form, transport, tls }: Combination): string {
  const over = transport === "websocket"
    ? "WebSocket"
    : transport === "cloudflare"
    ? "cloudflare:sockets"
    : SOCKETS[transport];
  return [form, over, tls === "wolfssl" ? "WolfSSL" : transport === "websocket" ? "node:tls" : "platform TLS"]
    .filter(Boolean).join(", ");
}

const SOCKETS = { deno: "Deno.connect", node: "node:net", "direct-sockets": "Direct Sockets" } as const;

/** The steps as tests, for the summary of a run. */
export function testCases({ combination, steps, failure }: Row): TestCase[] {
  const way = wayOf(combination);
  const cases = steps.map(({ step, outcome, reason }): TestCase => ({
    name: `${way}: ${step}${outcome === "failed" ? ` (${reason})` : ""}`,
    outcome: outcome === "lacking" ? "skipped" : outcome,
    reason: outcome === "lacking" ? reason : undefined,
  }));
  return failure === undefined ? cases : [...cases, { name: `${way}: ${failure}`, outcome: "failed" }];
}
