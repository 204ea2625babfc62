/**
 * Runs a library's program by each way to a database of its own.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { connectionUrl, PASSWORDS } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import type { Installation } from "./install.ts";
import type { Library } from "./libraries.ts";

/** The ways, each with the user that the server lets in by that way alone. */
export const WAYS = [
  { name: "TCP", user: "plain_only_user", title: "TCP" },
  { name: "WebSocket", user: "tls_only_user", title: "WebSocket, in WolfSSL's TLS" },
] as const;

/** The name of a way. */
export type WayName = typeof WAYS[number]["name"];

/** What a program told of one way. */
export interface Report {
  readonly way: string;
  readonly steps: readonly string[];
  readonly error?: string;
}

/** How a program has ended. */
export interface Outcome {
  readonly reports: readonly Report[];
  /** Connections that went through the proxy. */
  readonly relayed: number;
  /** Undefined where the program had to be killed. */
  readonly code: number | undefined;
  /** What it said besides its reports. */
  readonly output: string;
}

const DEADLINE_MILLIS = 90_000; // on a machine that is busy otherwise

/** Runs one. What it leaves behind is deleted. */
export async function runProgram(
  node: string,
  { folder }: Installation,
  { program, ways: possible }: Pick<Library, "program" | "ways">,
): Promise<Outcome> {
  const { postgres, certificates } = await servers();
  await using admin = await connectClient(postgres, {}, "postgres");
  const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
  const configs = {
    TCP: { wsProxy: undefined },
    WebSocket: { wsProxy: `ws://127.0.0.1:${proxy.port}`, rootCerts: certificates.ca.cert, tlsEngine: "wolfssl" },
  };
  const ways = WAYS.filter(({ name }) => possible?.includes(name) ?? true).map(({ name, user }) => {
    const database = `ecosystem_${program}_${name.toLowerCase()}`;
    return { name, user, database, url: connectionUrl(postgres, user, { database }), config: configs[name] };
  });
  try {
    for (const { database, user } of ways) {
      await admin.query(`drop database if exists ${database} with (force)`);
      await admin.query(`create database ${database} owner ${user}`);
    }
    const { reports, code, output } = await run(node, [
      join(folder, "programs/main.mjs"),
      JSON.stringify({ program, ways }),
    ]);
    return { reports, code, output, relayed: proxy.metrics().relayed };
  } finally {
    for (const { database } of ways) await admin.query(`drop database ${database} with (force)`);
    await proxy.close({ drainMillis: 0 });
  }
}

/** Hidden from whatever it prints: the ways' passwords are in its arguments. */
const SECRETS = new RegExp(WAYS.map(({ user }) => encodeURIComponent(PASSWORDS[user])).join("|"), "g");

async function run(program: string, args: readonly string[]): Promise<Omit<Outcome, "relayed">> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MILLIS,
    env: { ...Deno.env.toObject(), GRAPHILE_ENV: "production", NO_COLOR: "1" },
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => errors += chunk);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const lines = output.split("\n").filter(Boolean);
  const reports = lines.filter((line) => line.startsWith('{"way":')).map((line) => JSON.parse(line));
  const rest = [...lines.filter((line) => !line.startsWith('{"way":')), errors].join("\n").trim();
  return { reports, code: code ?? undefined, output: rest.replaceAll(SECRETS, "***") };
}
