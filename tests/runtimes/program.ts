/**
 * The one program that every runtime runs: what people do with a database, and what goes wrong. It needs nothing but the
 * driver and a {@linkcode Task}, and its {@linkcode Report} is plain data, so that it can come from a page or a Worker.
 *
 * @module
 */

import type { ClientConfig } from "../../mod.ts";
import type { PASSWORDS } from "../fixtures/postgres.ts";
import { describeFailure, within } from "./expectations.ts";
import { type Driver, type Scene, type StepName, stepNames, STEPS } from "./steps.ts";

/** Where the servers are, and how to reach them; plain JSON. */
export interface Task {
  /** What all clients of the program have in common: the way to the server, its TLS, and the database. */
  readonly config: ClientConfig;
  /** The transport that this leads to, as `DuplexInfo.transport` calls it. */
  readonly transport: string;
  /** The fixture's users. */
  readonly passwords: Partial<typeof PASSWORDS>;
  /** What `cert_user` proves itself with. */
  readonly clientCertificate: { readonly sslcert: string; readonly sslkey: string };
  /** The port of a server whose certificate is by an authority that nobody trusts. */
  readonly untrustedPort: number;
  /** A port on which nobody listens. */
  readonly deadPort: number;
  /** A proxy that is not there; undefined where the way leads through none. */
  readonly deadProxy: string | undefined;
}

/** What came of one step. */
export interface StepReport {
  readonly step: StepName;
  readonly millis: number;
  /** Undefined where all was well. */
  readonly error?: { readonly code: string | undefined; readonly message: string } | undefined;
}

/** What came of the program: each step that applies, in order. */
export interface Report {
  readonly steps: readonly StepReport[];
}

const STEP_DEADLINE_MILLIS = 20_000;

/** Runs all steps, whatever becomes of each. Never throws, and never hangs. */
export async function runProgram(driver: Driver, task: Task): Promise<Report> {
  const scene: Scene = { driver, task, client: undefined };
  const steps: StepReport[] = [];
  const names = stepNames(task.deadProxy !== undefined);
  for (const [step, run] of STEPS.filter(([name]) => names.includes(name))) {
    const startedAt = performance.now();
    const error = await within(STEP_DEADLINE_MILLIS, run(scene)).then(() => undefined, describeFailure);
    steps.push({ step, millis: Math.round(performance.now() - startedAt), error });
  }
  return { steps };
}
