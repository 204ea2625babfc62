/**
 * Builds the list of public authorities of `@pgduplex/wolfssl`: Mozilla's, as a pinned version of Node has it.
 *
 *     deno task build:roots [--force]
 *
 * No npm package of certificates alone keeps up with Mozilla's list; Node does. What is taken of a root is all but its
 * signature, which nobody checks. `wolfssl/mozilla_roots.lock.json` records the hash of what was taken, so that any Node
 * with the same list will do; for a new list, change `NODE` here.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { readCertificate } from "../wolfssl/x509/certificate.ts";
import { certificatesFromPem } from "../wolfssl/x509/pem.ts";
import { run } from "./run.ts";

/** The version, of npm's package `node`, whose list is taken. */
const NODE = "26.10.0";

const OUTPUT = "wolfssl/mozilla_roots.js";
const LOCK = "wolfssl/mozilla_roots.lock.json";
const INSTALLED = `.build/roots/node-${NODE}`;

/** What the lock file records. */
interface Lock {
  readonly source: string;
  readonly roots: number;
  /** Of the roots as they are embedded, one after the other. */
  readonly sha256: string;
}

async function main(args: readonly string[]): Promise<void> {
  const lock: Lock | undefined = await Deno.readTextFile(LOCK).then(JSON.parse, () => undefined);
  const pinned = lock?.source === SOURCE ? lock : undefined;
  if (pinned !== undefined && !args.includes("--force") && await embeddedHash() === pinned.sha256) {
    return console.log(`up to date: ${OUTPUT}, ${pinned.roots} roots of ${pinned.source}`);
  }
  const roots = pinned && await fromOwnNode(pinned) || withoutSignatures(await fromPinnedNode());
  const bytes = Buffer.concat(roots);
  const built: Lock = { source: SOURCE, roots: roots.length, sha256: sha256(bytes) };
  if (pinned !== undefined && built.sha256 !== pinned.sha256) {
    throw new Error(`${SOURCE} gave other roots than ${LOCK} records: SHA-256 ${built.sha256}`);
  }
  const text = embed(bytes, built);
  await Deno.writeTextFile(OUTPUT, text);
  if (pinned === undefined) await Deno.writeTextFile(LOCK, `${JSON.stringify(built, null, 2)}\n`);
  const kb = (count: number) => `${(count / 1000).toFixed(1)} KB`;
  console.log(`built ${OUTPUT}: ${built.roots} roots of ${SOURCE}, SHA-256 ${built.sha256}`);
  console.log(
    `size: ${kb(bytes.length)} raw, ${kb(text.length)} as a module, ${kb(gzipSync(text, { level: 9 }).length)} gzip, ` +
      `${kb(brotliCompressSync(text).length)} brotli`,
  );
}

const SOURCE = `node@${NODE}, tls.rootCertificates`;

async function embeddedHash(): Promise<string | undefined> {
  const text = await Deno.readTextFile(OUTPUT).catch(() => "");
  const base64 = /"([A-Za-z0-9+/=]+)"/.exec(text)?.[1];
  return base64 === undefined ? undefined : sha256(Buffer.from(base64, "base64"));
}

/** This machine's own Node, where its list is the very same. */
async function fromOwnNode(pinned: Lock): Promise<Uint8Array[] | undefined> {
  const roots = await rootsOf("node").then(withoutSignatures, () => undefined);
  return roots && sha256(Buffer.concat(roots)) === pinned.sha256 ? roots : undefined;
}

async function fromPinnedNode(): Promise<string[]> {
  const program = join(INSTALLED, "node_modules/node/bin/node");
  const installed = await Deno.stat(program).then(() => true, () => false);
  if (!installed) {
    console.log(`installing node@${NODE} from npm into ${INSTALLED} ...`);
    await Deno.mkdir(INSTALLED, { recursive: true });
    await Deno.writeTextFile(join(INSTALLED, "package.json"), '{ "private": true }\n');
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", INSTALLED, `node@${NODE}`]);
  }
  return await rootsOf(program);
}

/** What a Node brings, as PEM. */
async function rootsOf(node: string): Promise<string[]> {
  return JSON.parse(await run(node, ["--print", 'JSON.stringify(require("node:tls").rootCertificates)']));
}

/** Each one's TBSCertificate, in an order that does not depend on the one in which they come. */
function withoutSignatures(pems: readonly string[]): Uint8Array[] {
  return pems.flatMap(certificatesFromPem).map(readCertificate)
    // By name, since what is alike compresses better side by side; two of one name by their own bytes.
    .sort((one, other) =>
      Buffer.compare(one.subject.der, other.subject.der) || Buffer.compare(one.signed, other.signed)
    )
    .map(({ signed }) => signed);
}

function embed(bytes: Uint8Array, { source, roots, sha256 }: Lock): string {
  return `// ${roots} root certificates of Mozilla's list (MPL-2.0), by ${source}; SHA-256 ${sha256}.\n` +
    `// Written by scripts/build_roots.ts.\n` +
    `export const base64 = "${Buffer.from(bytes).toString("base64")}";\n`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

try {
  await main(Deno.args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
