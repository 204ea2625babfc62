import type { EncodedParameter } from "./parameters.ts";

/** What a {@linkcode Range} may be made of besides its bounds. */
export interface RangeOptions {
  /** Default true. */
  readonly lowerInclusive?: boolean | undefined;
  /** Default false. */
  readonly upperInclusive?: boolean | undefined;
  /** Contains nothing; it has no bounds then. Default false. */
  readonly empty?: boolean | undefined;
}

const brand = /* @__PURE__ */ Symbol.for("pgduplex.range");

/**
 * A range of values. A bound that is null is none. May be given as a parameter, too. `instanceof` works
 * by a brand, as that of our errors.
 *
 * @example
 * ```ts
 * await client.query("insert into stays (during) values ($1)", [new Range("2026-01-01", "2026-01-08")]);
 * ```
 */
export class Range<T> {
  /** The lower bound; null where there is none. */
  readonly lower: T | null;
  /** The upper bound; null where there is none. */
  readonly upper: T | null;
  /** False where there is no lower bound. */
  readonly lowerInclusive: boolean;
  /** False where there is no upper bound. */
  readonly upperInclusive: boolean;
  /** Whether it contains nothing. */
  readonly empty: boolean;

  /** A range that contains its lower bound and not its upper one, unless the options say otherwise. */
  constructor(lower: T | null, upper: T | null, options: RangeOptions = {}) {
    const { lowerInclusive = true, upperInclusive = false, empty = false } = options;
    Object.defineProperty(this, brand, { value: true });
    this.empty = empty;
    this.lower = empty ? null : lower;
    this.upper = empty ? null : upper;
    this.lowerInclusive = this.lower !== null && lowerInclusive;
    this.upperInclusive = this.upper !== null && upperInclusive;
  }

  /** Looks for the brand, which another copy of the class leaves as well. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Range) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }

  /** The range as a literal. */
  toPostgres(encode: (value: unknown) => EncodedParameter): string {
    if (this.empty) return "empty";
    const bound = (value: T | null) => {
      const text = value === null ? null : encode(value);
      return text === null ? "" : `"${String(text).replace(/["\\]/g, "\\$&")}"`;
    };
    return `${this.lowerInclusive ? "[" : "("}${bound(this.lower)},${bound(this.upper)}${
      this.upperInclusive ? "]" : ")"
    }`;
  }
}
