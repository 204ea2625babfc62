/**
 * The entries of the packages for browsers and for Workers: without the parts that only other runtimes can use, and with
 * nothing left to resolve, so that a bundler needs no configuration and a page can import them from a CDN.
 *
 * @module
 */

import { build, type Plugin } from "esbuild";
import { basename, join } from "node:path";

/** What a platform's entry does without. */
export interface Platform {
  /** The folder in the package, and the condition of `exports`. */
  readonly name: "browser" | "workerd";
  /** Source files, from the root of the repository, for which this platform has no use. All are imported lazily. */
  readonly without: readonly string[];
  /** The text of a module to enter by instead of an entry point. */
  readonly wrap?: (entryPoint: string) => string;
}

const NOT_IN_BROWSERS = ["src/duplex/deno.ts", "src/duplex/node.ts", "src/duplex/node_tls_over.ts", "src/duplex/ws.ts"];

/** Browsers, and whoever has WebSockets and no sockets; sockets of Isolated Web Apps among them. */
export const BROWSER: Platform = { name: "browser", without: [...NOT_IN_BROWSERS, "src/duplex/cloudflare.ts"] };

/** Cloudflare Workers. */
export const WORKERD: Platform = { name: "workerd", without: [...NOT_IN_BROWSERS, "src/duplex/direct_sockets.ts"] };

/** The file's name beside the entry of `@pgduplex/wolfssl` for Workers. */
export const WORKERD_CORE = "core.wasm";

/** Cloudflare Workers, which compile no WebAssembly at run time: the core is imported as a module, and given to the engine. */
export const WORKERD_WITH_CORE: Platform = {
  name: "workerd",
  without: ["wolfssl/core_wasm.js"],
  wrap: (path) =>
    `import module from "./${WORKERD_CORE}";
import { wolfssl as withoutCore } from ${JSON.stringify(path)};
export function wolfssl(options) {
  return withoutCore({ module, ...options });
}`,
};

/** How one platform's entry is made. */
export interface PlatformEntry {
  readonly platform: Platform;
  /** The modules to enter by, from the root of the repository. */
  readonly entryPoints: readonly string[];
  /** The package's folder. */
  readonly outDir: string;
}

/**
 * Bundles one platform's entry: `<outDir>/<platform>/<name of the entry point>.js` and the chunks that it imports.
 *
 * @throws {Error} what cannot be resolved, such as a `node:` specifier
 */
export async function bundlePlatform({ platform, entryPoints, outDir }: PlatformEntry): Promise<void> {
  await build({
    entryPoints: [...entryPoints],
    outdir: join(outDir, platform.name),
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: [platform.name],
    external: [`./${WORKERD_CORE}`],
    plugins: [wrapEntries(platform), ownEmitter, leaveOut(platform)],
    logLevel: "warning",
  });
  await Deno.writeTextFile(join(outDir, platform.name, "package.json"), '{\n  "type": "module"\n}\n');
}

function wrapEntries({ wrap }: Platform): Plugin {
  return {
    name: "wrap entries",
    setup(bundle) {
      if (wrap === undefined) return;
      bundle.onResolve(
        { filter: /.*/ },
        ({ kind, path }) => kind === "entry-point" ? { path, namespace: "wrapped" } : undefined,
      );
      bundle.onLoad({ filter: /.*/, namespace: "wrapped" }, ({ path }) => ({
        contents: wrap(path),
        resolveDir: Deno.cwd(),
      }));
    },
  };
}

const ownEmitter: Plugin = {
  name: "own emitter",
  setup(bundle) {
    bundle.onResolve({ filter: /^events$/ }, () => ({ path: join(Deno.cwd(), "scripts/npm/event_emitter.ts") }));
  },
};

/** A lazy import of what is left out ends in an error that says so; it is only tried where the bundle does not belong. */
function leaveOut({ name, without }: Platform): Plugin {
  const paths = new Set(without.map((path) => join(Deno.cwd(), path)));
  const text = `this is pgduplex for the platform "${name}", where the sockets of other runtimes are left out: ` +
    `resolve the package without the condition "${name}"`;
  return {
    name: "leave out",
    setup(bundle) {
      bundle.onResolve({ filter: /^\./, namespace: "file" }, ({ path, resolveDir, kind }) => {
        if (!paths.has(join(resolveDir, path))) return undefined;
        if (kind !== "dynamic-import") return { errors: [{ text: `${basename(path)} is not imported lazily` }] };
        return { path: "left-out", namespace: "left-out" };
      });
      bundle.onLoad(
        { filter: /.*/, namespace: "left-out" },
        () => ({ contents: `throw new Error(${JSON.stringify(text)})` }),
      );
    },
  };
}
