import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import * as page from "../../scripts/npm/builtin_decoders.ts";
import * as builtin from "../../src/types/builtin_decoders.ts";
import { builtins, otherTypes } from "../../src/types/oids.ts";
import { rareDecoders } from "../../src/types/rare_decoders.ts";
import { RARE_TYPES } from "../../src/types/text_decoders.ts";
import { projectRoot } from "../fixtures/project.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { comparable, decodeInside, decodeText } from "./types_comparable.ts";

const UNKNOWN_TYPE = 99_999;
const one = Uint8Array.of(0, 0, 0, 1);

test("the types that are named as rare are those that the rare decoders are for", () => {
  assert.deepEqual([...RARE_TYPES].sort(), [...rareDecoders[0].keys()].sort());
});

test("in a page, rare decoders are loaded once something needs them, and nothing else waits for them", async () => {
  const { INT4, INTERVAL } = builtins;
  const [ordinary, interval, binary, unknown] = [
    page.builtinDecoder(INT4, 0),
    page.builtinDecoder(INTERVAL, 0),
    page.builtinDecoder(INT4, 1),
    page.builtinDecoder(UNKNOWN_TYPE, 1),
  ];
  const own = (bytes: Uint8Array) => bytes.length;
  assert.equal(page.decodersLoading([ordinary, own]), undefined);
  assert.equal(decodeText(ordinary, "12"), 12);
  assert.throws(() => decodeText(interval, "1 day"), { code: "PART_NOT_LOADED" });
  assert.equal(page.hasBinaryDecoder(INT4), false);
  const loading = page.decodersLoading([ordinary, interval]);
  assert.ok(loading instanceof Promise);
  assert.equal(page.decodersLoading([binary]), loading);
  await loading;
  assert.equal(page.decodersLoading([binary]), undefined);
  assert.deepEqual(
    comparable(decodeText(interval, "1 day")),
    comparable(decodeText(builtin.builtinDecoder(INTERVAL, 0), "1 day")),
  );
  assert.equal(decodeInside(binary, one), 1);
  assert.equal(decodeText(unknown, "happy"), "happy");
  assert.equal(page.hasBinaryDecoder(INT4), true);
});

test("in a page, each type has the decoder that it has elsewhere, and a parser that stays the same", async () => {
  await page.decodersLoading();
  const point = new Uint8Array(16);
  const parser = page.builtinParser(otherTypes.POINT, 1);
  assert.equal(page.builtinParser(otherTypes.POINT, 1), parser);
  assert.deepEqual(parser(point), { x: 0, y: 0 });
  for (const oid of [...Object.values(builtins), UNKNOWN_TYPE]) {
    const [here, there] = [page, builtin].map(({ builtinDecoder }) => decodeText(builtinDecoder(oid, 0), "{}"));
    assert.deepEqual(comparable(here), comparable(there), `type ${oid}`);
  }
});

test("in a page that lacks the file, each value fails by what it lacks, and the next result asks for it again", async () => {
  const missing: Plugin = {
    name: "missing",
    setup: (bundle) =>
      bundle.onResolve(
        { filter: /rare_decoders/ },
        ({ kind }) => kind === "dynamic-import" ? { path: "./missing.js", external: true } : undefined,
      ),
  };
  const folder = temporaryFolder("lacking");
  try {
    const outfile = join(folder.path, "page.mjs");
    const entryPoints = [join(projectRoot(), "scripts/npm/builtin_decoders.ts")];
    await build({ entryPoints, outfile, bundle: true, format: "esm", plugins: [missing], logLevel: "error" });
    const lacking = await import(pathToFileURL(outfile).href) as typeof page;
    const decoder = lacking.builtinDecoder(builtins.BYTEA, 0);
    const first = lacking.decodersLoading([decoder]);
    await first;
    assert.throws(
      () => decodeText(decoder, "\\\\x00"),
      ({ code, cause, message }) =>
        code === "PART_NOT_LOADED" && cause instanceof Error && message.includes("all files of the package"),
    );
    assert.notEqual(lacking.decodersLoading([decoder]), first);
    await lacking.decodersLoading([decoder]);
  } finally {
    await folder.remove();
  }
});
