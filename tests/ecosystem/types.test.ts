/** Our declarations in the place of node-postgres's: what libraries declare of `pg` fits them. */

import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/run.ts";
import { projectRoot } from "../fixtures/project.ts";
import { installLibraries } from "./install.ts";

const RESOLUTIONS = [["nodenext", "nodenext"], ["esnext", "bundler"]];

for (const [module, moduleResolution] of RESOLUTIONS) {
  test(`libraries take our client and pool, with types resolved as by ${moduleResolution}`, async () => {
    const { folder } = await installLibraries();
    const tsc = join(projectRoot(), "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2023", "--types", "node"];
    const resolution = ["--module", module, "--moduleResolution", moduleResolution];
    await run("node", [tsc, ...options, ...resolution, "programs/types.mts"], { cwd: folder });
  });
}
