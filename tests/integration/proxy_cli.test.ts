import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { deferred } from "../../src/duplex/waiting.ts";
import { projectRoot } from "../fixtures/project.ts";
import { closing, connectThrough, echo, nextMessage, startTarget, tryThrough } from "../fixtures/proxy.ts";

const root = projectRoot();
const bundle = join(root, ".build", `cli-${process.pid}.mjs`);

before(async () => {
  if ("Deno" in globalThis) return;
  await mkdir(join(root, ".build"), { recursive: true });
  const common = { bundle: true, platform: "node", format: "esm", packages: "external" } as const;
  await build({ ...common, entryPoints: [join(root, "src/cli.ts")], outfile: bundle, logLevel: "error" });
});

after(() => rm(bundle, { force: true }));

interface Run {
  readonly exit: Promise<number | null>;
  readonly output: () => string;
  /** Resolves with the first match in what the process says, now or later. */
  says(expected: RegExp): Promise<RegExpExecArray>;
  signal(name: "SIGINT" | "SIGTERM"): void;
  kill(): void;
}

/** Runs the command line under the runtime that runs the test. */
function pgduplex(args: string[], environment: Record<string, string> = {}): Run {
  const command = "Deno" in globalThis ? ["run", "-A", join(root, "src/cli.ts")] : [bundle];
  const { LISTEN_PORT: _port, ALLOW_ADDR_REGEX: _regex, ...inherited } = process.env;
  const child = spawn(process.execPath, [...command, ...args], {
    cwd: root,
    env: { ...inherited, ...environment, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      output += text;
      for (const wake of waiting) wake();
    });
  }
  let ended = false;
  const exit = once(child, "close").then(([code]) => {
    ended = true;
    for (const wake of waiting) wake();
    return code;
  });
  return {
    exit,
    output: () => output,
    says(expected) {
      const { promise, resolve, reject } = deferred<RegExpExecArray>();
      const look = () => {
        const found = expected.exec(output);
        if (found !== null) resolve(found);
        else if (ended) reject(new Error(`it ended without saying ${expected}:\n${output}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
      return promise;
    },
    // Not child.kill(), after which Deno reports a death by that signal, however the child took it.
    signal: (name) => void process.kill(child.pid ?? 0, name),
    kill: () => void child.kill("SIGKILL"),
  };
}

test("what makes no sense ends with code 2 and words", async () => {
  const cases: [args: string[], environment: Record<string, string>, message: RegExp][] = [
    [["proxy"], {}, /does not start without an allow-list.*--allow.*\(PROXY_NOT_RESTRICTED\)/],
    [["proxy", "--dev", "--listen", "0.0.0.0:0"], {}, /listens on loopback only.*\(PROXY_DEV_NOT_LOOPBACK\)/],
    [["proxy"], { ALLOW_ADDR_REGEX: "(a" }, /missing \).*\(PROXY_PATTERN_INVALID\)/],
    [["proxy"], { ALLOW_ADDR_REGEX: "(a)\\1" }, /not supported.*\(PROXY_PATTERN_INVALID\)/],
    [["proxy", "--alow", "a:1"], {}, /--alow: there is no such flag.*\(PROXY_FLAG_INVALID\)/],
    [["porxy"], {}, /there is no command "porxy"/],
    [[], {}, /Usage: pgduplex/],
  ];
  for (const [args, environment, message] of cases) {
    const run = pgduplex(args, environment);
    assert.equal(await run.exit, 2, args.join(" "));
    assert.match(run.output(), message);
    assert.doesNotMatch(run.output(), /\n\s+at /, "no stack");
  }
});

test("a port that is taken ends with code 1", async () => {
  const taken = await startTarget(echo);
  const run = pgduplex(["proxy", "--dev", "--listen", `127.0.0.1:${taken.port}`]);
  assert.equal(await run.exit, 1);
  assert.match(run.output(), /cannot listen on 127\.0\.0\.1:\d+.*\(PROXY_LISTEN_FAILED\)/);
  await taken.close();
});

test("help is printed", async () => {
  const run = pgduplex(["proxy", "--help"]);
  assert.equal(await run.exit, 0);
  assert.match(run.output(), /--allow host:port/);
});

test("the environment of the existing relay is understood; connections are logged; SIGTERM drains", async () => {
  const target = await startTarget(echo);
  const run = pgduplex(["proxy"], {
    LISTEN_PORT: "127.0.0.1:0",
    ALLOW_ADDR_REGEX: `^127\\.0\\.0\\.1:${target.port}$`,
  });
  try {
    const [, url] = await run.says(/listening on (ws:\S+)/);
    const socket = await connectThrough(url, target.address);
    const echoed = nextMessage(socket);
    socket.send("hello", { binary: true });
    assert.equal(String(await echoed), "hello");
    await run.says(new RegExp(`#1 \\S+ connected to ${target.address}`));
    assert.ok("status" in await tryThrough(url, "127.0.0.1:1"));
    await run.says(/#2 \S+ refused with 403: 127\.0\.0\.1:1 is not in the proxy's allow-list/);

    run.signal("SIGTERM");
    await run.says(/SIGTERM: draining 1 connections/);
    socket.close();
    assert.equal(await run.exit, 0);
    assert.match(run.output(), /#1 \S+ closed after .*\(5 bytes to \S+, 5 back\)/);
    assert.match(run.output(), /stopped\n$/);
  } finally {
    run.kill();
    await target.close();
  }
});

test("a second signal stops at once; --quiet logs no connections", async () => {
  const target = await startTarget(echo);
  const run = pgduplex(["proxy", "--dev", "--quiet", "--listen", "127.0.0.1:0", "--drain-timeout", "10m"]);
  try {
    const [, url] = await run.says(/listening on (ws:\S+)/);
    const closed = closing(await connectThrough(url, target.address));
    run.signal("SIGINT");
    await run.says(/SIGINT: draining/);
    run.signal("SIGINT");
    assert.equal((await closed).code, 1001);
    assert.equal(await run.exit, 0);
    assert.doesNotMatch(run.output(), /#1/);
  } finally {
    run.kill();
    await target.close();
  }
});

test("an allow-list that covers every host starts with a warning", async () => {
  const run = pgduplex(["proxy", "--listen", "127.0.0.1:0"], { ALLOW_ADDR_REGEX: ".*" });
  try {
    await run.says(/warning: the allow-list covers every host/);
  } finally {
    run.kill();
  }
});
