/**
 * Decides at build time what becomes of `await import("./x.ts")` in the source.
 *
 * @module
 */

import type { Plugin } from "esbuild";
import { basename, dirname, join, relative } from "node:path";

/** What is known of lazily imported files, by their paths from the root of the repository. */
export interface Decisions {
  /** For messages. */
  readonly name: string;
  readonly always: readonly string[];
  readonly never: readonly string[];
}

const LAZY_IMPORT = /await import\("(\.{1,2}\/[^"]+)"\)/g;

/**
 * Makes of a lazy import a plain one where the file is always needed, an error where it never is, and an import of a
 * file of its own otherwise.
 */
export class LazyImports {
  readonly #decisions: Decisions;
  readonly #found = new Set<string>();

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  /** The files that need a bundle of their own, those of such bundles included as they are made. */
  get found(): Iterable<string> {
    return this.#found;
  }

  get plugin(): Plugin {
    return {
      name: "lazy imports",
      setup: (bundle) => {
        bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
          contents: this.#rewrite(relative(Deno.cwd(), path), await Deno.readTextFile(path)),
          loader: "ts",
        }));
        bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
          if (kind !== "dynamic-import") return undefined;
          const file = relative(Deno.cwd(), join(resolveDir, path));
          this.#found.add(file);
          return { path: `./${basename(file).replace(/\.ts$/, ".js")}`, external: true };
        });
        bundle.onResolve({ filter: /^left-out$/ }, () => ({ path: "left-out", namespace: "left-out" }));
        bundle.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: this.#leftOut() }));
      },
    };
  }

  #rewrite(path: string, text: string): string {
    const { always, never } = this.#decisions;
    const imports: string[] = [];
    const rewritten = text.replace(LAZY_IMPORT, (whole: string, specifier: string) => {
      const file = join(dirname(path), specifier);
      if (never.includes(file)) {
        if (!imports.includes(LEFT_OUT)) imports.push(LEFT_OUT);
        return "leftOut()";
      }
      if (!always.includes(file)) return whole;
      const name = `always${imports.length}`;
      imports.push(`import * as ${name} from ${JSON.stringify(specifier)};`);
      return name;
    });
    return [...imports, rewritten].join("\n");
  }

  #leftOut(): string {
    const { name } = this.#decisions;
    const message = `this is the package for "${name}", where the parts for other runtimes are left out: ` +
      `resolve it without the condition "${name}"`;
    return `export function leftOut() { throw new Error(${JSON.stringify(message)}); }`;
  }
}

const LEFT_OUT = 'import { leftOut } from "left-out";';
