import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BUDGETS, bundle, measure, QUERYING, WHOLE_FACE } from "../../scripts/npm/size.ts";
import { type Consumer, installConsumer, NOT_ON_DENO } from "./npm_consumer.ts";

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

const programs: readonly [name: string, program: string, budget: number][] = [
  ["a program that connects and queries", QUERYING, BUDGETS.querying],
  ["everything that is exported", WHOLE_FACE, BUDGETS.wholeFace],
];

for (const [name, program, budget] of programs) {
  test(`${name} keeps within its budget`, { skip }, async () => {
    const { loaded } = await measure(program, join(consumer.folder, "node_modules"));
    assert.ok(loaded > 1024);
    assert.ok(loaded <= budget, `${loaded} bytes of ${budget}: deno task size --files tells what they are`);
  });
}

/** Names of what a page that only connects and queries must not load. */
const LAZY = [
  ...["decodeInterval", "binaryArrayDecoder", "shortestFloat32", "FrontendMessages", "RowReader"],
  ...["md5Password", "oauthInitialResponse", "saslprep", "openDirectSocket"],
  ...["connectToAny", "readSignatureAlgorithm", "requestCancel", "answerOtherwise", "nearestOption"],
  ...["takeOwnDuplex", "KeptQuery", "openSocket", "platformOr", "withSystemRoots"],
  ...["PortalReader", "CopyWriter", "CopyReader", "Transactions", "SubmittableRun", "registerCatalog"],
];
const UNUSED = [
  ...["StreamsDuplex", "fromStreams"], // streams that users bring
  ...["openDeno", "openNode", "openCloudflare", "nodeTlsOver", "wsFactory", "findPassword"], // other runtimes
  ...["SqlFragment", "binaryTypes", "copyText", "Pool", "Subscription"],
  ...["startProxy", "parseProxyCommand", "compilePattern"],
];

test("a program that connects and queries loads nothing of which it has no use", { skip }, async () => {
  const files = await bundle(QUERYING, join(consumer.folder, "node_modules"), false);
  const defined = (name: string, text: string) =>
    new RegExp(`\\b(?:function|class|var|const) ${name}\\b(?! = leftOut)`).test(text);
  const source = await sourceOf(join(consumer.pgduplex.folder, "esm/src"));
  for (const name of [...LAZY, ...UNUSED]) {
    assert.ok(defined(name, source), `${name} is the name of nothing anymore: name what took its place`);
    assert.deepEqual(files.filter(({ lazy, text }) => !lazy && defined(name, text)), [], `${name} is loaded`);
  }
  for (const name of LAZY) assert.ok(files.some(({ lazy, text }) => lazy && defined(name, text)), `${name} is missing`);
});

async function sourceOf(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(".js"));
  return (await Promise.all(files.map((path) => readFile(join(folder, path), "utf8")))).join("\n");
}
