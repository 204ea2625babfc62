/**
 * What processes use, as Linux tells it of those that cannot tell themselves: a browser's, workerd.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import type { Usage } from "./orders.ts";

const TICK_MILLIS = 10; // USER_HZ is 100 on every Linux that Deno runs on
const PAGE_BYTES = 4096;

/** Of all processes of a group together, or of those of them with this name. */
export function usageOfGroup(group: number, name?: string): Usage {
  let cpuMillis = 0;
  let residentBytes = 0;
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = statOf(pid);
    if (stat === undefined || stat.group !== group || (name !== undefined && stat.name !== name)) continue;
    cpuMillis += stat.ticks * TICK_MILLIS;
    residentBytes += stat.pages * PAGE_BYTES;
  }
  return { cpuMillis, residentBytes };
}

/** The fields of proc_pid_stat(5) that matter here; undefined where the process has just ended. */
function statOf(pid: string) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    // Counted from the third field, the state: pgrp, utime, stime, rss.
    return { name, group: fields[2], ticks: fields[11] + fields[12], pages: fields[21] };
  } catch {
    return undefined;
  }
}
