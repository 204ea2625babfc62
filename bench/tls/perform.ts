/**
 * Does one round, in whatever runtime this is.
 *
 * @module
 */

import type { WolfSslOptions } from "../../wolfssl/mod.ts";
import { contenders } from "./contenders.ts";
import type { Outcome, Task, Usage } from "./orders.ts";
import { scenarios } from "./scenarios.ts";

/**
 * Makes the function that does rounds. `usage` is for runtimes that know it of themselves; `options` are more options of
 * our engine.
 */
export function performer(usage?: () => Usage, options?: WolfSslOptions): (task: Task) => Promise<Outcome> {
  const all = contenders(options);
  return async (task) => {
    const scenario = scenarios[task.scenario];
    const contender = all[task.contender];
    const used = usage === undefined ? () => askFor(task.usageUrl) : () => Promise.resolve(usage());
    try {
      if (scenario === undefined || contender === undefined) throw new Error("there is no such scenario or contender");
      return await scenario.round(contender, task, used);
    } catch (error) {
      return { error: error instanceof Error ? error.stack ?? error.message : String(error) };
    }
  };
}

async function askFor(url: string): Promise<Usage> {
  return await (await fetch(url)).json();
}
