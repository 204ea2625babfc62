#!/usr/bin/env node
/**
 * The command line: `pgduplex proxy [flags]`.
 *
 * Exits with 0 when it stopped as asked, 2 when what was asked makes no sense, 1 when it failed.
 *
 * @module
 */

import process from "node:process";
import { ConfigError, DriverError } from "./errors.ts";
import { parseProxyCommand, PROXY_HELP } from "./proxy/flags.ts";
import { describeEvent, type Proxy, startProxy } from "./proxy/mod.ts";

const HELP = `Usage: pgduplex <command> [flags]

  proxy   relays WebSockets to PostgreSQL over TCP; see pgduplex proxy --help
`;

async function main(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  if (command === "proxy") return await runProxy(rest);
  if (command === "--help" || command === "help") return void process.stdout.write(HELP);
  process.stderr.write(
    command === undefined ? HELP : `pgduplex: there is no command ${JSON.stringify(command)}\n\n${HELP}`,
  );
  process.exitCode = 2;
}

async function runProxy(args: readonly string[]): Promise<void> {
  const command = parseProxyCommand(args, process.env);
  if (command.kind === "help") return void process.stdout.write(PROXY_HELP);
  const { options, quiet, drainMillis } = command;
  const proxy = await startProxy({
    ...options,
    onEvent: quiet ? undefined : (event) => log(describeEvent(event)),
  });
  // Before anybody is told that it listens, and might stop it again.
  const stopped = drainOnSignal(proxy, drainMillis);
  log(`listening on ${proxy.url}`);
  if (proxy.wideOpen) {
    log("warning: the allow-list covers every host: whoever reaches this proxy can dial any public address through it");
  }
  await stopped;
  log("stopped");
  process.exit(0); // signal listeners keep some runtimes alive
}

/** Resolves once a signal came and the proxy has drained; a second signal hurries it. */
function drainOnSignal(proxy: Proxy, drainMillis: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (name: string) => {
      log(asked ? `${name} again: stopping now` : `${name}: draining ${proxy.connections} connections`);
      void proxy.close({ drainMillis: asked ? 0 : drainMillis }).then(resolve);
      asked = true;
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof DriverError;
  process.stderr.write(`pgduplex: ${known ? `${error.message} (${error.code})` : String(error)}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
});
