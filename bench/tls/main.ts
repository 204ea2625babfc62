/**
 * `deno task bench:tls [runtime ...] [--scenario=name,...] [--contender=name,...] [--rounds=3] [--quick]`: our TLS beside
 * the platforms' own and subtls, in one run on one machine.
 *
 * Everybody has a process of its own (or a page), and their rounds take turns, so that a machine whose speed drifts
 * favours none. Figures are medians. `--quick` does less in fewer rounds.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { renderTable } from "../../scripts/table.ts";
import { untilInterrupted } from "../../scripts/until_interrupted.ts";
import { buildGenerated } from "../../scripts/wasm_core.ts";
import { certificates } from "../../tests/fixtures/certificates.ts";
import { Unavailable } from "../../tests/runtimes/runtime.ts";
import { cpuTable, type Measured, wallTable } from "./report.ts";
import type { FarEnd, Round, Task } from "./orders.ts";
import { type BenchRuntime, bundleFarEnd, type Performer, RUNTIMES, type Started } from "./runtimes.ts";
import { scenarios } from "./scenarios.ts";
import { sizes } from "./sizes.ts";

/** What to measure. */
interface Plan {
  readonly runtimes: readonly BenchRuntime[];
  readonly scenarios: readonly string[];
  /** Undefined: all. */
  readonly contenders: readonly string[] | undefined;
  readonly rounds: number;
  readonly scale: number;
}

function planOf(args: readonly string[]): Plan {
  const names = args.filter((argument) => !argument.startsWith("--"));
  const listed = (option: string) =>
    args.find((argument) => argument.startsWith(`--${option}=`))?.slice(option.length + 3).split(",");
  const quick = args.includes("--quick");
  const chosen = listed("scenario") ?? Object.keys(scenarios);
  const unknown = chosen.find((name) => !(name in scenarios));
  if (unknown !== undefined) {
    throw new Error(`no scenario is called ${unknown}; there are ${Object.keys(scenarios).join(", ")}`);
  }
  const runtimes = RUNTIMES.filter(({ name }) => names.length === 0 || names.some((part) => name.startsWith(part)));
  if (runtimes.length === 0) {
    throw new Error(
      `no runtime is called ${names.join(", ")}; there are ${RUNTIMES.map(({ name }) => name).join(", ")}`,
    );
  }
  return {
    runtimes,
    scenarios: chosen,
    contenders: listed("contender"),
    rounds: Number(listed("rounds")?.[0] ?? (quick ? 2 : 3)),
    scale: quick ? 0.5 : 1,
  };
}

async function main(args: readonly string[], resources: AsyncDisposableStack): Promise<number> {
  const plan = planOf(args);
  if (!await buildGenerated()) return 1;
  console.log(`${cpus().length} x ${cpus()[0].model.trim()}`);
  const { ca, server } = await certificates();
  // What workerd trusts besides public authorities is what its process was started with.
  process.env.NODE_EXTRA_CA_CERTS = ca.certPath;
  const farEnd = await startFarEnd(server, resources);
  const measured: Measured[] = [];
  for (const runtime of plan.runtimes) {
    try {
      const started = await runtime.prepare();
      measured.push(...await measureRuntime(runtime, started, { farEnd, ca: ca.cert }, plan));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.error(`without ${runtime.title}: ${error.message}`);
    }
  }
  console.log(`\nWall time; in brackets the ratio to the first of each group\n\n${wallTable(measured)}`);
  console.log(`\nCPU time of the client's processes\n\n${cpuTable(measured)}`);
  console.log(`\n${sizeTable(await sizes())}`);
  return 0;
}

async function startFarEnd(
  server: { readonly certPath: string; readonly keyPath: string },
  resources: AsyncDisposableStack,
): Promise<FarEnd> {
  const child: ChildProcess = spawn("node", [await bundleFarEnd(), server.certPath, server.keyPath], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  resources.defer(async () => {
    child.stdin?.end();
    await exited;
  });
  if (child.stdout === null) throw new Error("the far end has no output");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return JSON.parse(line);
}

/** Rounds that do not count, and are never the small ones: engines compile WebAssembly anew once it has run for a while. */
const WARM_UP = 2;

type Place = Pick<Task, "farEnd" | "ca">;

async function measureRuntime(
  runtime: BenchRuntime,
  started: Started,
  place: Place,
  plan: Plan,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  const groups = runtime.groups.map((group) =>
    group.filter((name, index) => index === 0 || plan.contenders === undefined || plan.contenders.includes(name))
  );
  const names = groups.flat();
  for (const scenario of plan.scenarios) {
    await using resources = new AsyncDisposableStack();
    console.error(`${runtime.title} ${started.version}: ${scenarios[scenario].title}`);
    const performers: Performer[] = [];
    for (const name of names) performers.push(await started.start(name, resources));
    await using usage = usageServer(performers);
    const rounds = names.map((): Round[] => []);
    const failed = new Map<string, string>();
    for (let round = -WARM_UP; round < plan.rounds; round++) {
      for (const [index, contender] of names.entries()) {
        if (failed.has(contender)) continue;
        const scale = round < 0 ? 1 : plan.scale;
        const task = { ...place, contender, scenario, scale, usageUrl: `${usage.origin}/${index}` };
        const outcome = await performers[index].round(task);
        if ("error" in outcome) failed.set(contender, outcome.error);
        else if (round >= 0) rounds[index].push(outcome);
      }
    }
    for (const [contender, error] of failed) console.error(`  ${contender} failed: ${error}`);
    for (const group of groups) {
      for (const contender of group) {
        const own = rounds[names.indexOf(contender)];
        const baseline = rounds[names.indexOf(group[0])];
        measured.push({ runtime: `${runtime.title} ${started.version}`, contender, scenario, rounds: own, baseline });
      }
    }
  }
  return measured;
}

/** Tells those who cannot know what they use. */
function usageServer(performers: readonly Performer[]): { readonly origin: string } & AsyncDisposable {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const performer = performers[Number(new URL(request.url).pathname.slice(1))];
    return Response.json(performer?.usage?.());
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function sizeTable(rows: Awaited<ReturnType<typeof sizes>>): string {
  const kilobytes = (bytes: number) => (bytes / 1024).toFixed(1);
  return renderTable([
    { title: "Size", show: ({ what }) => what },
    { title: "raw KB", show: ({ raw }) => kilobytes(raw), right: true },
    { title: "gzip KB", show: ({ gzip }) => kilobytes(gzip), right: true },
    { title: "brotli KB", show: ({ brotli }) => kilobytes(brotli), right: true },
  ], rows);
}

await untilInterrupted((resources) => main(process.argv.slice(2), resources));
