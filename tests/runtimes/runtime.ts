/**
 * What a runtime is to the runtime tests: how it is had, which ways lead from it to a database, and how it runs the
 * program of `program.ts`. The adapters run on Deno, beside the servers.
 *
 * @module
 */

import type { Report, Task } from "./program.ts";
import type { Stage } from "./stage.ts";
import type { StepName } from "./steps.ts";

/** A way from a runtime to a database. */
export interface Combination {
  /** The kind of module, where there are several. */
  readonly form?: "ESM" | "CommonJS" | undefined;
  /** As `DuplexInfo.transport` calls it. */
  readonly transport: "websocket" | "deno" | "node" | "cloudflare" | "direct-sockets";
  readonly tls: "platform" | "wolfssl";
  /** What people should know who go this way. */
  readonly note?: string | undefined;
  /** The steps that cannot work this way, and why: they must fail just so. */
  readonly lacks?: Lacks | undefined;
}

/** What a runtime cannot do. */
export type Lacks = { readonly [step in StepName]?: Lack };

/** Why a step cannot work, and the code of the error that says so. */
export interface Lack {
  readonly code: string;
  /** As people read it in the tables. */
  readonly reason: string;
}

/** A runtime. */
export interface Runtime {
  /** What it is called on the command line. */
  readonly name: string;
  /** What it is called in the tables, such as `Node 22`. */
  readonly title: string;
  /** The line of the support table that it belongs to, with others that can do the same, such as `Node 20, 22, 24`. */
  readonly group: string;
  readonly combinations: readonly Combination[];
  /**
   * Installs and builds what is needed, for as long as `resources` live.
   *
   * @throws {Unavailable} where it cannot be had here
   */
  prepare(stage: Stage, resources: AsyncDisposableStack): Promise<Runner>;
}

/** A runtime that is ready. */
export interface Runner {
  /** Which one exactly, such as `22.23.3`. */
  readonly version: string;
  run(combination: Combination, task: Task, signal: AbortSignal): Promise<Report>;
}

/** A runtime cannot be had on this machine. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}
