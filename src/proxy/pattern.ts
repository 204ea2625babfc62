/**
 * The regular expressions of `ALLOW_ADDR_REGEX`: RE2's core syntax, matched in time linear in the address.
 *
 * JavaScript's own RegExp backtracks, and the address comes from strangers: `(a+)+b` would let one request stop the
 * proxy. So a pattern is compiled to a program of states and all states advance together (Thompson 1968; as RE2 and
 * Go do, for which these patterns were written). What RE2 cannot do (back references, lookaround) is refused.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";

/** A compiled pattern. */
export interface Pattern {
  readonly source: string;
  /** Whether the whole text matches; letters match in either case, since host names do. */
  matches(text: string): boolean;
}

const MAX_PATTERN_LENGTH = 2000;
const MAX_REPEAT = 1000; // as RE2
const MAX_STATES = 5000; // bounds the work for one character of an address

/**
 * Compiles a pattern that must match a whole `host:port`.
 *
 * @throws {ConfigError} `PROXY_PATTERN_INVALID`, with the position and what is wrong there
 *
 * @example
 * ```ts
 * const pattern = compilePattern("(eu|us)-[0-9]+\\.db\\.example\\.com:5432");
 * console.log(pattern.matches("eu-7.db.example.com:5432")); // true
 * console.log(pattern.matches("eu-7.db.example.com:5432.evil.com:1")); // false
 * ```
 */
export function compilePattern(source: string): Pattern {
  if (source.length > MAX_PATTERN_LENGTH) {
    throw invalid(source, 0, `it is longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  const writer = new ProgramWriter(source);
  writer.write(new PatternParser(source).parse());
  const program: readonly Instruction[] = [...writer.program, { op: "match" }];
  return { source, matches: (text) => run(program, text) };
}

type Node =
  | { kind: "set"; has: CharacterSet }
  | { kind: "sequence"; nodes: Node[] }
  | { kind: "choice"; nodes: Node[] }
  | { kind: "repeat"; node: Node; min: number; max: number }
  | { kind: "start" }
  | { kind: "end" };

type CharacterSet = (code: number) => boolean;

type Instruction =
  | { op: "set"; has: CharacterSet }
  | { op: "fork"; to: [number, number] }
  | { op: "jump"; to: number }
  | { op: "start" }
  | { op: "end" }
  | { op: "match" };

const ESCAPED_SETS: Readonly<Record<string, CharacterSet>> = {
  d: isDigit,
  D: (code) => !isDigit(code),
  w: isWord,
  W: (code) => !isWord(code),
  s: isSpace,
  S: (code) => !isSpace(code),
};

/** Recursive descent over RE2's syntax, as far as host names need it. */
class PatternParser {
  readonly #source: string;
  #position = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    this.#skip("(?i)"); // matching ignores case anyway
    const node = this.#choice();
    if (this.#position < this.#source.length) throw this.#invalid("unmatched )");
    return node;
  }

  #choice(): Node {
    const nodes = [this.#sequence()];
    while (this.#skip("|")) nodes.push(this.#sequence());
    return nodes.length === 1 ? nodes[0] : { kind: "choice", nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#position < this.#source.length && !"|)".includes(this.#peek())) nodes.push(this.#repeat(this.#atom()));
    return { kind: "sequence", nodes };
  }

  #repeat(node: Node): Node {
    const bounds = this.#quantifier();
    if (bounds === undefined) return node;
    this.#skip("?"); // lazy or greedy, the whole text matches or not
    if (this.#quantifier() !== undefined) throw this.#invalid("a quantifier after a quantifier");
    return { kind: "repeat", node, ...bounds };
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#skip("*")) return { min: 0, max: Infinity };
    if (this.#skip("+")) return { min: 1, max: Infinity };
    if (this.#skip("?")) return { min: 0, max: 1 };
    const counted = /^\{([0-9]{1,5})(,([0-9]{1,5})?)?\}/.exec(this.#source.slice(this.#position));
    if (counted === null) return undefined;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === undefined ? Infinity : Number(counted[3]);
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
      throw this.#invalid(`more than ${MAX_REPEAT} repetitions`);
    }
    if (max < min) throw this.#invalid("a repetition whose upper bound is the lower");
    this.#position += counted[0].length;
    return { min, max };
  }

  #atom(): Node {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", has: this.#class() };
      case "\\":
        return this.#escape();
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "set", has: () => true };
      case "*":
      case "+":
      case "?":
        this.#position--;
        throw this.#invalid(`nothing before ${character} to repeat`);
      default:
        return { kind: "set", has: ignoringCase(range(character, character)) };
    }
  }

  #group(): Node {
    if (this.#peek() === "?" && !this.#skip("?:")) {
      throw this.#invalid("only plain groups and (?:...) are supported: no lookaround, names or flags");
    }
    const node = this.#choice();
    if (!this.#skip(")")) throw this.#invalid("missing )");
    return node;
  }

  #escape(): Node {
    const character = this.#next();
    if (character === "A") return { kind: "start" };
    if (character === "z") return { kind: "end" };
    return { kind: "set", has: this.#escapedSet(character) ?? ignoringCase(range(character, character)) };
  }

  /** The set that `\d` and its like stand for; undefined for an escaped punctuation mark, which stands for itself. */
  #escapedSet(character: string): CharacterSet | undefined {
    if (Object.hasOwn(ESCAPED_SETS, character)) return ESCAPED_SETS[character];
    if (!/[A-Za-z0-9]/.test(character)) return undefined;
    throw this.#invalid(`\\${character} is not supported (no back references, word boundaries or character codes)`);
  }

  #class(): CharacterSet {
    const negated = this.#skip("^");
    const sets: CharacterSet[] = [];
    do {
      const low = this.#next("missing ]");
      if (low === "[" && this.#peek() === ":") throw this.#invalid("classes such as [:alpha:] are not supported");
      const escaped = low === "\\" ? this.#next() : undefined;
      const set = escaped === undefined ? undefined : this.#escapedSet(escaped);
      sets.push(set ?? ignoringCase(this.#range(escaped ?? low)));
    } while (this.#peek() !== "]");
    this.#position++;
    const has: CharacterSet = (code) => sets.some((set) => set(code));
    return negated ? (code) => !has(code) : has;
  }

  #range(low: string): CharacterSet {
    const ahead = this.#source.slice(this.#position, this.#position + 2);
    if (ahead.length < 2 || ahead[0] !== "-" || ahead[1] === "]") return range(low, low);
    this.#position++;
    const high = this.#next();
    const end = high === "\\" ? this.#next() : high;
    if (high === "\\" && /[A-Za-z0-9]/.test(end)) throw this.#invalid("a range must end in a character");
    if (end < low) throw this.#invalid("a range whose end comes before its start");
    return range(low, end);
  }

  #peek(): string {
    return this.#source.charAt(this.#position);
  }

  #next(missing = "it ends too early"): string {
    if (this.#position >= this.#source.length) throw this.#invalid(missing);
    return this.#source.charAt(this.#position++);
  }

  #skip(text: string): boolean {
    if (!this.#source.startsWith(text, this.#position)) return false;
    this.#position += text.length;
    return true;
  }

  #invalid(reason: string): ConfigError {
    return invalid(this.#source, this.#position, reason);
  }
}

/** Writes a tree as a program, and refuses one that is too large once its repetitions are written out. */
class ProgramWriter {
  readonly program: Instruction[] = [];
  readonly #source: string;
  #written = 0;

  constructor(source: string) {
    this.#source = source;
  }

  write(node: Node): void {
    // Counts nodes and not instructions, so that ((){1000}){1000} is too large as well.
    if (++this.#written > MAX_STATES) {
      throw invalid(this.#source, this.#source.length, "it is too large once its repetitions are written out");
    }
    switch (node.kind) {
      case "set":
        this.program.push({ op: "set", has: node.has });
        break;
      case "start":
      case "end":
        this.program.push({ op: node.kind });
        break;
      case "sequence":
        for (const part of node.nodes) this.write(part);
        break;
      case "choice":
        this.#choice(node.nodes);
        break;
      case "repeat":
        this.#repeat(node);
    }
  }

  #choice(nodes: readonly Node[]): void {
    const jumps: { op: "jump"; to: number }[] = [];
    for (const node of nodes.slice(0, -1)) {
      this.#optional(() => {
        this.write(node);
        const jump = { op: "jump" as const, to: 0 };
        jumps.push(jump);
        this.program.push(jump);
      });
    }
    for (const node of nodes.slice(-1)) this.write(node);
    for (const jump of jumps) jump.to = this.program.length;
  }

  #repeat({ node, min, max }: Node & { kind: "repeat" }): void {
    for (let count = 0; count < min; count++) this.write(node);
    if (max === Infinity) {
      const start = this.program.length;
      this.#optional(() => {
        this.write(node);
        this.program.push({ op: "jump", to: start });
      });
    } else {
      for (let count = min; count < max; count++) this.#optional(() => this.write(node));
    }
  }

  /** A fork: through what `body` writes, or past it. */
  #optional(body: () => void): void {
    const to: [number, number] = [this.program.length + 1, 0];
    this.program.push({ op: "fork", to });
    body();
    to[1] = this.program.length;
  }
}

/** All states advance together, one character at a time: at most states x characters steps, whatever the pattern. */
function run(program: readonly Instruction[], text: string): boolean {
  let states = reach(program, [0], 0, text.length);
  for (let position = 0; position < text.length && states.size > 0; position++) {
    const code = text.charCodeAt(position);
    const next: number[] = [];
    for (const state of states) {
      const instruction = program[state];
      if (instruction.op === "set" && instruction.has(code)) next.push(state + 1);
    }
    states = reach(program, next, position + 1, text.length);
  }
  return states.has(program.length - 1);
}

/** The states that can be reached without consuming a character. */
function reach(program: readonly Instruction[], from: number[], position: number, length: number): Set<number> {
  const reached = new Set<number>();
  const todo = from;
  for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
    if (reached.has(state)) continue;
    reached.add(state);
    const instruction = program[state];
    if (instruction.op === "fork") todo.push(...instruction.to);
    else if (instruction.op === "jump") todo.push(instruction.to);
    else if (instruction.op === "start" && position === 0) todo.push(state + 1);
    else if (instruction.op === "end" && position === length) todo.push(state + 1);
  }
  return reached;
}

function range(low: string, high: string): CharacterSet {
  const [from, to] = [low.charCodeAt(0), high.charCodeAt(0)];
  return (code) => code >= from && code <= to;
}

function ignoringCase(has: CharacterSet): CharacterSet {
  return (code) => {
    const character = String.fromCharCode(code);
    return has(code) || has(character.toLowerCase().charCodeAt(0)) || has(character.toUpperCase().charCodeAt(0));
  };
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWord(code: number): boolean {
  return isDigit(code) || code === 0x5f || (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code >= 0x09 && code <= 0x0d;
}

function invalid(source: string, position: number, reason: string): ConfigError {
  const shown = source.length > 80 ? `${source.slice(0, 80)}...` : source;
  return new ConfigError(
    "PROXY_PATTERN_INVALID",
    `the pattern of allowed addresses ${JSON.stringify(shown)} cannot be used: ${reason} (at character ${
      position + 1
    })`,
    { phase: "config" },
  );
}
