/**
 * Runs the tests of the repository on one runtime each, and tells what came out.
 *
 * @module
 */

import { build } from "esbuild";
import { parseJunit, type TestCase } from "./junit.ts";

/** What came out of one runtime. */
export interface RunResult {
  readonly runtime: string;
  readonly cases: readonly TestCase[];
}

/** What a run needs to know. */
export interface RunOptions {
  readonly files: readonly string[];
  /** Environment variables besides this process's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Kills the runtime. */
  readonly signal: AbortSignal;
}

const BUILD_FOLDER = ".build";
const RUN_DEADLINE_MILLIS = 10 * 60_000; // only what hangs takes so long, on a busy machine too
const REPORT_DEADLINE_MILLIS = 10_000;
const TEST_DEADLINE_MILLIS = 2 * 60_000;

/** The source, on this Deno. Types are the business of `deno task check`. `runtime` is what the tests themselves start. */
export async function runOnDeno({ files, env, signal }: RunOptions, runtime = "deno"): Promise<RunResult> {
  const report = `${BUILD_FOLDER}/${runtime}.junit.xml`;
  const args = ["test", "-A", "--no-check", `--junit-path=${report}`, ...files];
  return await run(runtime, Deno.execPath(), args, { env, signal, report });
}

/** A bundle of each test, on the machine's Node. `runtime` is what the tests themselves start, where that is another. */
export async function runOnNode({ files, env, signal }: RunOptions, runtime = "node"): Promise<RunResult> {
  const outputFolder = `${BUILD_FOLDER}/${runtime}`;
  await Deno.remove(outputFolder, { recursive: true }).catch(() => {});
  const { metafile } = await build({
    entryPoints: [...files],
    outdir: outputFolder,
    outbase: ".",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    alias: { "@pgduplex/wolfssl": "./wolfssl/mod.ts" },
    sourcemap: "linked",
    metafile: true,
    logLevel: "warning",
  });
  // What a test imports lazily is an entry point of the bundle too, but no test.
  const isTest = (entryPoint: string | undefined) => entryPoint !== undefined && files.includes(entryPoint);
  const bundles = Object.entries(metafile.outputs).filter(([, output]) => isTest(output.entryPoint)).map(([path]) =>
    path
  );
  const report = `${BUILD_FOLDER}/${runtime}.junit.xml`;
  const args = [
    ...["--test", "--enable-source-maps", `--test-timeout=${TEST_DEADLINE_MILLIS}`],
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...["--test-reporter=junit", `--test-reporter-destination=${report}`],
    ...bundles,
  ];
  return await run(runtime, "node", args, { env, signal, report });
}

/** The version of the machine's Node, or undefined where there is none. */
export async function nodeVersion(): Promise<string | undefined> {
  try {
    const { stdout, success } = await new Deno.Command("node", { args: ["--version"] }).output();
    return success ? new TextDecoder().decode(stdout).trim().replace(/^v/, "") : undefined;
  } catch {
    return undefined;
  }
}

interface ProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly report: string;
}

async function run(runtime: string, program: string, args: string[], options: ProcessOptions): Promise<RunResult> {
  const { env, signal, report } = options;
  await Deno.mkdir(BUILD_FOLDER, { recursive: true });
  await Deno.remove(report).catch(() => {});
  const deadline = AbortSignal.timeout(RUN_DEADLINE_MILLIS);
  const over = new AbortController(); // kills what does not end when it is asked to
  const child = new Deno.Command(program, { args, env: { ...env }, stdin: "null", signal: over.signal }).spawn();
  const stop = () => {
    child.kill("SIGINT"); // on which both test runners tell what has failed and what is still running
    Deno.unrefTimer(setTimeout(() => over.abort(), REPORT_DEADLINE_MILLIS));
  };
  const asked = AbortSignal.any([signal, deadline]);
  asked.addEventListener("abort", stop, { once: true });
  const { success, code } = await child.status;
  asked.removeEventListener("abort", stop);
  const cases = parseJunit(await Deno.readTextFile(report).catch(() => ""));
  const explained = success || cases.some(({ outcome }) => outcome === "failed");
  if (explained && cases.length > 0) return { runtime, cases };
  const reason = deadline.aborted
    ? `did not end within ${RUN_DEADLINE_MILLIS / 60_000} minutes`
    : `ended with code ${code} and ${cases.length} test results, none of which says why`;
  return { runtime, cases: [...cases, { name: `the run on ${runtime} ${reason}`, outcome: "failed" }] };
}
