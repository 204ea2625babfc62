/**
 * The entries of the packages for browsers, Workers and edge functions: without the parts that only other runtimes can use, and with
 * nothing left to resolve, so that a bundler needs no configuration and a page can import them from a CDN.
 *
 * @module
 */

import { build, type BuildOptions, type Plugin } from "esbuild";
import { basename, join, relative } from "node:path";
import { type Decisions, LazyImports } from "./lazy_imports.ts";
import { bundleAround, type Rewrite } from "./shared_file.ts";

/** A platform, and what becomes of the source's lazy imports there. */
export interface Platform extends Decisions {
  /** The folder in the package, and the condition of `exports`. */
  readonly name: "browser" | "workerd" | "edge-light" | "core";
  /** Packages to import, `events` among them; default none, and an emitter of our own. */
  readonly dependencies?: readonly string[];
  /**
   * The modules that every program needs, where what the parts share is to be one file. Everything else that lazy parts
   * import they have for themselves.
   */
  readonly shared?: readonly string[];
  /**
   * Of what the parts share, what each has for itself all the same: pure functions, of which lazy parts need others than
   * every program does.
   */
  readonly copied?: readonly string[];
  /** Files that others, in this folder, take the place of. */
  readonly replaced?: readonly string[];
  /** The text of a module to enter by instead of an entry point. */
  readonly wrap?: ((entryPoint: string) => string) | undefined;
}

/** The engine is optional: it is missed when it is needed. */
export const ENGINE = "@pgduplex/wolfssl";

const EVERYWHERE = ["src/duplex/websocket.ts", "src/duplex/proxy_opening.ts"];
const NOWHERE = [
  "src/duplex/deno.ts",
  "src/duplex/node.ts",
  "src/duplex/node_tls_over.ts",
  "src/duplex/ws.ts",
  "src/config/passfile.ts",
  "src/client/connection/raw_connection.ts",
];

/** What programs that only connect through a proxy, by SCRAM, and query have no use for. */
const RARELY = [
  "src/client/operations.ts",
  "src/config/known_options.ts",
  "src/duplex/own_way.ts",
  "src/duplex/sockets.ts",
  "src/session/cancel.ts",
  "src/session/hosts.ts",
  "src/session/other_methods.ts",
  "src/session/statement_cache.ts",
  "src/tls/platform.ts",
  "src/tls/roots.ts",
  "src/types/rare_decoders.ts",
];

/** What a connection in TLS that may be bound to needs, once. */
const END_POINT = "src/auth/server_end_point.ts";

const SASLPREP = "src/auth/saslprep.ts";

/** What it takes to be anywhere but in a page: an environment, files, Node's TLS, requests of a Worker. */
const NOT_IN_PAGES = [
  "src/client/outstanding.ts",
  "src/client/pool/lenders.ts",
  "src/config/certificate_files.ts",
  "src/config/environment.ts",
  "src/config/host.ts",
  "src/config/known_options.ts",
  "src/duplex/platform_websocket.ts",
  "src/duplex/system_failure.ts",
  "src/session/password_file.ts",
  "src/session/request_scope.ts",
  "src/tls/node_engine.ts",
];

const SERVICE_FILE = "src/config/service_file.ts";

const leftOutOf = (condition: string) =>
  `left out where the package is resolved with the condition "${condition}": resolve it without`;

/** Browsers, and whoever has WebSockets and no sockets. Isolated Web Apps, which do, load theirs lazily. */
export const BROWSER: Platform = {
  name: "browser",
  always: EVERYWHERE,
  never: [...NOWHERE, "src/duplex/cloudflare.ts"],
  alone: [SASLPREP, END_POINT, "src/duplex/streams.ts", "src/duplex/direct_sockets.ts"],
  apart: RARELY,
  shared: ["src/client/client.ts"],
  copied: [
    "src/auth/policy.ts",
    "src/duplex/failures.ts",
    "src/protocol/backend.ts",
    "src/protocol/frontend.ts",
    "src/session/failures.ts",
    "src/types/other_oids.ts",
  ],
  replaced: [SERVICE_FILE, ...NOT_IN_PAGES, "src/types/builtin_decoders.ts"],
  leftOut: leftOutOf("browser"),
};

/** Vercel's edge functions: WebSockets and an environment, and all of a program is loaded at once. */
export const EDGE_LIGHT: Platform = {
  name: "edge-light",
  always: [...EVERYWHERE, ...RARELY, END_POINT, "src/duplex/streams.ts"],
  never: [...NOWHERE, "src/duplex/cloudflare.ts", "src/duplex/direct_sockets.ts"],
  alone: [SASLPREP],
  replaced: [SERVICE_FILE],
  leftOut: leftOutOf("edge-light"),
};

/** Cloudflare Workers, which load all of a program at once. */
export const WORKERD: Platform = {
  name: "workerd",
  always: [...EVERYWHERE, ...RARELY, END_POINT, "src/duplex/streams.ts", "src/duplex/cloudflare.ts"],
  never: [...NOWHERE, "src/duplex/direct_sockets.ts"],
  alone: [SASLPREP],
  replaced: [SERVICE_FILE],
  leftOut: leftOutOf("workerd"),
};

/** The file's name beside the entry of `@pgduplex/wolfssl` for Workers. */
export const WORKERD_CORE = "core.wasm";

/** Cloudflare Workers, which compile no WebAssembly at run time: the core is imported as a module, and given to the engine. */
export const WORKERD_WITH_CORE = withCore("workerd", `./${WORKERD_CORE}`);

/** As Vercel's bundlers have a module of WebAssembly imported, from the same file. */
const EDGE_LIGHT_CORE = `../workerd/${WORKERD_CORE}?module`;

/** Vercel's edge functions, which compile none either. */
export const EDGE_LIGHT_WITH_CORE = withCore("edge-light", EDGE_LIGHT_CORE);

function withCore(name: Platform["name"], core: string): Platform {
  return {
    name,
    always: [],
    never: ["wolfssl/core_wasm.js"],
    alone: ["wolfssl/client_key.ts", "src/duplex/node_options.ts"],
    leftOut: leftOutOf(name),
    wrap: (path) =>
      `import module from ${JSON.stringify(core)};
import { wolfssl as withoutCore } from ${JSON.stringify(path)};
export function wolfssl(options) {
  return withoutCore({ module, ...options });
}`,
  };
}

/** How one platform's entry is made. */
export interface PlatformEntry {
  readonly platform: Platform;
  /** The modules to enter by, from the root of the repository. */
  readonly entryPoints: readonly string[];
  /** The package's folder. */
  readonly outDir: string;
}

/**
 * Bundles one platform's entry: `<outDir>/<platform>/<name of the entry point>.js`, and beside it what it imports lazily.
 *
 * @throws {Error} what cannot be resolved, such as a `node:` specifier
 */
export async function bundlePlatform({ platform, entryPoints, outDir }: PlatformEntry): Promise<void> {
  const folder = join(outDir, platform.name);
  const options = (rewrite?: Rewrite, of = platform) => bundleOptions(of, new LazyImports(of, rewrite));
  const { shared, copied = [], apart = [], alone } = platform;
  const parts = [entryPoints, ...apart.map((path) => [path])];
  if (shared === undefined) await build({ ...options(), outdir: folder, entryPoints: [...entryPoints] });
  else await bundleAround({ options, shared, copied, parts, folder });
  const unwrapped = { ...platform, wrap: undefined };
  for (const path of alone) await build({ ...options(undefined, unwrapped), outdir: folder, entryPoints: [path] });
  await Deno.writeTextFile(join(folder, "package.json"), '{\n  "type": "module",\n  "sideEffects": false\n}\n');
}

/** How esbuild is to bundle for a platform. */
export function bundleOptions(platform: Platform, lazyImports = new LazyImports(platform)): BuildOptions {
  return {
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    conditions: [platform.name],
    external: [`./${WORKERD_CORE}`, EDGE_LIGHT_CORE, ENGINE, ...platform.dependencies ?? []],
    plugins: [wrapEntry(platform), replace(platform), ...platform.dependencies ? [] : [ownEmitter], lazyImports.plugin],
    logLevel: "warning",
  };
}

function wrapEntry({ wrap }: Platform): Plugin {
  return {
    name: "wrap entry",
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

/** Puts files of this folder in the place of those that mean nothing on a platform. */
function replace({ replaced = [] }: Platform): Plugin {
  return {
    name: "replace",
    setup(bundle) {
      bundle.onResolve({ filter: /^\.+\// }, ({ importer, kind, path, resolveDir }) => {
        const file = relative(Deno.cwd(), join(resolveDir, path));
        if (kind === "entry-point" || !replaced.includes(file)) return undefined;
        const instead = join(Deno.cwd(), "scripts/npm", basename(file));
        // It may itself load lazily what it takes the place of.
        return importer === instead ? undefined : { path: instead };
      });
    },
  };
}

const ownEmitter: Plugin = {
  name: "own emitter",
  setup(bundle) {
    bundle.onResolve({ filter: /^events$/ }, () => ({ path: join(Deno.cwd(), "scripts/npm/event_emitter.ts") }));
  },
};
