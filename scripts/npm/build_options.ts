/**
 * What a package is made of, in the shape of dnt's `BuildOptions`: the part of it that our packages use, so that the same
 * object can be handed to dnt and to the emitter beside this file.
 *
 * @module
 */

/** A module by which users enter the package. */
export interface EntryPoint {
  /** A subpath of `exports` (the default), or a program of `bin`. */
  readonly kind?: "bin" | "export";
  /** `.`, `./proxy`, or the name of the program. */
  readonly name: string;
  /** Its source, from the root of the repository. */
  readonly path: string;
}

/** The fields of package.json that we set. */
export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly [field: string]: unknown;
}

/** What to build; a field means what it means to dnt. */
export interface BuildOptions {
  readonly entryPoints: readonly EntryPoint[];
  readonly outDir: string;
  /** None: the source uses what every runtime has. */
  readonly shims: Readonly<Record<string, never>>;
  readonly test: false;
  readonly typeCheck: "single";
  readonly declaration: "inline";
  readonly declarationMap: false;
  readonly scriptModule: "cjs";
  readonly esModule: true;
  readonly skipSourceOutput: true;
  readonly importMap: string;
  /** Modules that are packages of their own. Our emitter knows them from deno.json. */
  readonly mappings?: Readonly<Record<string, { readonly name: string; readonly version: string }>>;
  readonly package: PackageJson;
  readonly compilerOptions: {
    readonly target: "ES2022";
    readonly lib: readonly ("ES2023" | "DOM" | "DOM.Iterable" | "DOM.AsyncIterable" | "ESNext.Disposable")[];
    readonly skipLibCheck: true;
  };
  /** Runs when the tree is laid out. */
  readonly postBuild: () => Promise<void>;
}
