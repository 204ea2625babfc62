/**
 * Decides at build time what becomes of `await import("./x.ts")` in the source, and of `loadPart` around it.
 *
 * @module
 */

import type { Plugin } from "esbuild";
import { basename, dirname, join, relative } from "node:path";

/** What is known of what is imported lazily: files by their paths from the root of the repository, packages by name. */
export interface Decisions {
  /** What every program needs. */
  readonly always: readonly string[];
  /** What no program needs. */
  readonly never: readonly string[];
  /**
   * What few programs need, and what has neither state nor classes that others know: a file of its own, with all that it
   * imports. Sharing that with the entry would cut the entry into pieces, which compress worse than a few repeated lines
   * weigh; our errors are branded for that.
   */
  readonly alone: readonly string[];
  /** What few programs need: a file of its own, which imports what it shares with the entry. */
  readonly apart?: readonly string[];
  /** What to tell whoever needs it after all. */
  readonly leftOut: string;
}

const LAZY_IMPORT = /await loadPart\(async \(\) => await import\("([^"]+)"\)\)|await import\("([^"]+)"\)/g;

/**
 * Makes of a lazy import a plain one where the file is always needed, an error where it never is, and an import of a
 * file of its own where it is to have one. The others stay what they are, and share chunks with the entry.
 */
export class LazyImports {
  readonly #decisions: Decisions;
  readonly #rewrite: (path: string, text: string) => string;

  /** @param rewrite What else becomes of a file's text */
  constructor(decisions: Decisions, rewrite: (path: string, text: string) => string = (_, text) => text) {
    this.#decisions = decisions;
    this.#rewrite = rewrite;
  }

  get plugin(): Plugin {
    return {
      name: "lazy imports",
      setup: (bundle) => {
        bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
          const file = relative(Deno.cwd(), path);
          const text = this.#rewrite(file, await Deno.readTextFile(path));
          return { contents: this.#decide(file, text), loader: "ts" };
        });
        bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
          if (kind !== "dynamic-import") return undefined;
          const file = relative(Deno.cwd(), join(resolveDir, path));
          const { alone, apart = [] } = this.#decisions;
          if (!alone.includes(file) && !apart.includes(file)) return undefined;
          return { path: `./${basename(file).replace(/\.ts$/, ".js")}`, external: true };
        });
        bundle.onResolve({ filter: /^left-out$/ }, () => ({ path: "left-out", namespace: "left-out" }));
        bundle.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: this.#leftOut() }));
      },
    };
  }

  #decide(path: string, text: string): string {
    const { always, never } = this.#decisions;
    const imports: string[] = [];
    const rewritten = text.replace(LAZY_IMPORT, (whole: string, part: string | undefined, other: string) => {
      const specifier = part ?? other;
      const file = specifier.startsWith(".") ? join(dirname(path), specifier) : specifier;
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
    return `export function leftOut() { throw new Error(${JSON.stringify(this.#decisions.leftOut)}); }`;
  }
}

const LEFT_OUT = 'import { leftOut } from "left-out";';
