import assert from "node:assert/strict";
import { createServer } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { builtinModule } from "../../src/builtin_module.ts";

test("a module of Node's is had where there is one", () => {
  assert.equal(builtinModule<typeof import("node:net")>("node:net")?.createServer, createServer);
  assert.equal(builtinModule("node:nothing"), undefined);
});

test("a process that only pretends, or none, has no modules", () => {
  const { getBuiltinModule } = process;
  const pretends = () => {
    throw new Error("not supported in the Edge Runtime");
  };
  for (const other of [pretends, undefined]) {
    process.getBuiltinModule = other as unknown as typeof getBuiltinModule;
    try {
      assert.equal(builtinModule("node:net"), undefined);
    } finally {
      process.getBuiltinModule = getBuiltinModule;
    }
  }
});
