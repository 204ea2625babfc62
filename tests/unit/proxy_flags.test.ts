import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxyCommand, PROXY_HELP, type ProxyEnvironment } from "../../src/proxy/flags.ts";
import { resolveProxyOptions } from "../../src/proxy/options.ts";

function run(args: string, environment: ProxyEnvironment = {}) {
  const command = parseProxyCommand(args.split(" ").filter(Boolean), environment);
  assert.ok(command.kind === "run");
  return command;
}

test("flags and environment become options", () => {
  const cases: [args: string, ProxyEnvironment, expected: Record<string, unknown>][] = [
    ["--allow a:1 --allow=b:2", {}, { allow: ["a:1", "b:2"], allowPattern: undefined }],
    ["--allow-regex .*", {}, { allowPattern: ".*" }],
    ["--allow-regex=a=b", {}, { allowPattern: "a=b" }],
    ["", { ALLOW_ADDR_REGEX: "db:5432" }, { allowPattern: "db:5432" }],
    ["", { ALLOW_ADDR_REGEX: "" }, { allowPattern: undefined }],
    ["--allow a:1", { ALLOW_ADDR_REGEX: ".*" }, { allow: ["a:1"], allowPattern: undefined }],
    ["--allow-regex x", { ALLOW_ADDR_REGEX: ".*" }, { allowPattern: "x" }],
    ["--allow-private", {}, { allowPrivate: true, dev: false }],
    ["--allow-origin null --allow-origin=https://a.example", {}, { allowOrigins: ["null", "https://a.example"] }],
    ["", {}, { listen: { host: "127.0.0.1", port: 8080 } }],
    ["", { LISTEN_PORT: "80" }, { listen: { host: "0.0.0.0", port: 80 } }],
    ["", { LISTEN_PORT: ":80" }, { listen: { host: "0.0.0.0", port: 80 } }],
    ["", { LISTEN_PORT: "10.0.0.5:80" }, { listen: { host: "10.0.0.5", port: 80 } }],
    ["--listen 81", { LISTEN_PORT: "80" }, { listen: { host: "0.0.0.0", port: 81 } }],
    ["--listen [::1]:81", {}, { listen: { host: "::1", port: 81 } }],
    ["--listen localhost:0", {}, { listen: { host: "localhost", port: 0 } }],
    ["--dev", { LISTEN_PORT: ":80" }, { dev: true, listen: { host: "127.0.0.1", port: 80 } }],
    ["--dial-timeout 500ms --idle-timeout 1h", {}, { dialTimeoutMillis: 500, idleTimeoutMillis: 3_600_000 }],
    ["--idle-timeout 0 --ping-interval 5m", {}, { idleTimeoutMillis: 0, pingIntervalMillis: 300_000 }],
    ["--max-connections 7 --max-message 2048", {}, { maxConnections: 7, maxMessageBytes: 2048 }],
    ["--max-per-client 2", {}, { maxConnectionsPerClient: 2 }],
  ];
  for (const [args, environment, expected] of cases) {
    const options: Record<string, unknown> = { ...run(args, environment).options };
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(options[name], value, `${args}: ${name}`);
  }
  assert.equal(run("--quiet").quiet, true);
  assert.equal(run("--drain-timeout 3s").drainMillis, 3000);
});

test("a flag that means nothing is refused by name", () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--alow", "a:1"], /^--alow: there is no such flag/],
    [["a:1"], /^a:1: there is no such flag/],
    [["--allow"], /^--allow: its value is missing/],
    [["--allow="], /^--allow: its value is missing/],
    [["--allow", "--dev"], /^--allow: its value is missing before --dev/],
    [["--dev=yes"], /^--dev: it takes no value/],
    [["--listen", "1", "--listen", "2"], /^--listen: it is given twice/],
    [["--listen", "nowhere"], /^--listen: expected \[host:\]port/],
    [["--listen", "a:b:1"], /^--listen: expected \[host:\]port/],
    [["--listen", "70000"], /^--listen: expected \[host:\]port/],
    [["--idle-timeout", "5"], /^--idle-timeout: expected a time/],
    [["--idle-timeout", "5 s"], /^--idle-timeout: expected a time/],
    [["--max-connections", "many"], /^--max-connections: expected a whole number/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => parseProxyCommand(args, {}), { code: "PROXY_FLAG_INVALID", message }, args.join(" "));
  }
  assert.throws(() => parseProxyCommand([], { LISTEN_PORT: "x" }), {
    code: "PROXY_FLAG_INVALID",
    message: /^LISTEN_PORT/,
  });
});

test("help wins, and names every flag that is understood", () => {
  assert.equal(parseProxyCommand(["--dev", "--help"], {}).kind, "help");
  for (const [flag] of PROXY_HELP.matchAll(/^ {2}(--[a-z-]+)/gm)) {
    const args = [flag.trim(), "1"];
    // A switch complains of the 1, a value may find 1 wanting, but none is unknown.
    assert.doesNotMatch(complaint(args), new RegExp(`${flag.trim()}: there is no such flag`));
  }
});

test("options out of range are refused, and --dev listens on loopback only", () => {
  const dev = { dev: true };
  const cases: [Parameters<typeof resolveProxyOptions>[0], code: string][] = [
    [{}, "PROXY_NOT_RESTRICTED"],
    [{ ...dev, listen: { host: "0.0.0.0" } }, "PROXY_DEV_NOT_LOOPBACK"],
    [{ ...dev, listen: { host: "::" } }, "PROXY_DEV_NOT_LOOPBACK"],
    [{ ...dev, listen: { host: "example.com" } }, "PROXY_DEV_NOT_LOOPBACK"],
    [{ ...dev, listen: { port: 65536 } }, "PROXY_OPTION_INVALID"],
    [{ ...dev, maxConnections: 0 }, "PROXY_OPTION_INVALID"],
    [{ ...dev, maxConnectionsPerClient: 0 }, "PROXY_OPTION_INVALID"],
    [{ ...dev, idleTimeoutMillis: -1 }, "PROXY_OPTION_INVALID"],
    [{ ...dev, idleTimeoutMillis: 2 ** 31 }, "PROXY_OPTION_INVALID"],
    [{ ...dev, dialTimeoutMillis: 0 }, "PROXY_OPTION_INVALID"],
    [{ ...dev, maxMessageBytes: Number.NaN }, "PROXY_OPTION_INVALID"],
  ];
  for (const [options, code] of cases) {
    assert.throws(() => resolveProxyOptions(options), { name: "ConfigError", code }, JSON.stringify(options));
  }
  for (const host of ["127.0.0.1", "::1", "localhost", "127.9.9.9"]) {
    assert.equal(resolveProxyOptions({ ...dev, listen: { host } }).host, host);
  }
});

function complaint(args: string[]): string {
  try {
    parseProxyCommand(args, {});
    return "";
  } catch (error) {
    return String(error);
  }
}
