/**
 * What every {@linkcode Duplex} does, as cases that run anywhere: under `node:test`, and inside workerd, which has none.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Duplex } from "../../src/duplex/duplex.ts";
import type { Report, Request } from "../fixtures/peer_behaviour.ts";
import { isPattern, pattern } from "../fixtures/pattern.ts";

/** An implementation under test, and what its transport cannot do. */
export interface Subject {
  /** Opens a connection to one of the servers of `tests/fixtures/peers.ts`. */
  open(): Promise<Duplex>;
  /** Opens one to the server that never speaks, whose opening the signal aborts at once; undefined: it cannot be aborted. */
  readonly openAborted?: ((signal: AbortSignal) => Promise<unknown>) | undefined;
  /** Whether one side can end while the other goes on. */
  readonly halfClose: boolean;
  /** Whether a peer that breaks off is told from one that ends. */
  readonly resets: boolean;
  /** Whether a peer has to wait for a reader that does not read. */
  readonly pausesPeer: boolean;
  /** Whether a writer has to wait for a peer that does not read. */
  readonly writeWaits: boolean;
}

/** One behaviour. */
export interface Case {
  readonly name: string;
  /** What of the subject it takes; left out where the subject says that it lacks it. */
  readonly needs?: "halfClose" | "resets" | "pausesPeer" | "writeWaits" | "openAborted";
  run(subject: Subject): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
const LARGE = 32 * MEGABYTE;
const MORE_THAN_ANY_SYSTEM_BUFFERS = 96 * MEGABYTE;

/** The contract. */
export const contract: readonly Case[] = [
  {
    name: "bytes come back as they were sent, split at every boundary by us",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      const message = pattern(0, 48);
      for (let boundary = 0; boundary <= message.length; boundary++) {
        await duplex.write(message.subarray(0, boundary));
        await duplex.write(message.subarray(boundary));
        assert.deepEqual(await readExactly(duplex, message.length), message, `boundary ${boundary}`);
      }
      duplex.close();
    },
  },
  {
    name: "bytes that the peer sends one by one come in order, and never as an empty chunk",
    async run(subject) {
      const duplex = await request(subject, { do: "dribble" });
      const message = pattern(0, 300);
      await duplex.write(message);
      let received = 0;
      while (received < message.length) {
        const bytes = await duplex.read();
        assert.ok(bytes instanceof Uint8Array && bytes.constructor === Uint8Array, "a plain Uint8Array");
        assert.ok(bytes.length > 0, "at least one byte");
        assert.ok(isPattern(bytes, received));
        received += bytes.length;
      }
      duplex.close();
    },
  },
  {
    name: "what was read stays as it was while more is read",
    async run(subject) {
      const duplex = await request(subject, { do: "source", id: newId(), bytes: MEGABYTE });
      const chunks: Uint8Array[] = [];
      for (let bytes = await duplex.read(); bytes !== null; bytes = await duplex.read()) chunks.push(bytes);
      let received = 0;
      for (const bytes of chunks) {
        assert.ok(isPattern(bytes, received));
        received += bytes.length;
      }
      assert.equal(received, MEGABYTE);
      duplex.close();
    },
  },
  {
    name: "a large write arrives whole, from one call or from many that nobody waits for",
    async run(subject) {
      const whole = new Uint8Array(LARGE);
      for (let offset = 0; offset < LARGE; offset += 65536) whole.set(pattern(offset, 65536), offset);
      for (const size of [LARGE, 100_003]) {
        const duplex = await request(subject, { do: "sink", id: newId(), bytes: LARGE });
        const writes: Promise<void>[] = [];
        for (let offset = 0; offset < LARGE; offset += size) {
          writes.push(duplex.write(whole.subarray(offset, offset + size)));
        }
        const report = await readReport(duplex);
        assert.deepEqual([report.received, report.intact], [LARGE, true], `writes of ${size} bytes`);
        await Promise.all(writes);
        duplex.close();
      }
    },
  },
  {
    name: "a large answer arrives whole, then null, however often it is asked",
    async run(subject) {
      const duplex = await request(subject, { do: "source", id: newId(), bytes: LARGE });
      assert.equal(await readPattern(duplex), LARGE);
      for (let times = 0; times < 3; times++) assert.equal(await duplex.read(), null);
      duplex.close();
    },
  },
  {
    name: "both directions flow at once",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      const total = 8 * MEGABYTE;
      const reading = readPattern(duplex, total);
      for (let offset = 0; offset < total; offset += 65536) await duplex.write(pattern(offset, 65536));
      assert.equal(await reading, total);
      duplex.close();
    },
  },
  {
    name: "an empty write is allowed and sends nothing",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      await duplex.write(new Uint8Array());
      await duplex.write(pattern(0, 3));
      assert.deepEqual(await readExactly(duplex, 3), pattern(0, 3));
      duplex.close();
    },
  },
  {
    name: "closeWrite ends our side after what was written, and reading goes on",
    needs: "halfClose",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      const total = 2 * MEGABYTE;
      for (let offset = 0; offset < total; offset += 65536) duplex.write(pattern(offset, 65536)).catch(() => {});
      const ended = duplex.closeWrite();
      assert.equal(await readPattern(duplex), total);
      await ended;
      await duplex.closed;
      assert.equal(await duplex.read(), null);
    },
  },
  {
    name: "the peer's end leaves our side open",
    needs: "halfClose",
    async run(subject) {
      const id = newId();
      const duplex = await request(subject, { do: "source", id, bytes: 10 });
      assert.equal(await readPattern(duplex), 10);
      await duplex.write(pattern(0, 1000));
      await duplex.closeWrite();
      await duplex.closed;
      const report = await reportOf(subject, id, "over");
      assert.deepEqual([report.received, report.intact, report.ended], [1000, true, true]);
    },
  },
  {
    name: "after closeWrite a write fails, and closeWrite again does not",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      await duplex.write(pattern(0, 1));
      assert.equal((await readExactly(duplex, 1)).length, 1);
      const ended = duplex.closeWrite();
      await assert.rejects(duplex.write(pattern(0, 1)), { name: "TransportError", code: "TRANSPORT_CLOSED" });
      await ended;
      assert.equal(await duplex.read(), null);
      await duplex.closeWrite().catch(() => assert.fail("closeWrite is not idempotent"));
      duplex.close();
    },
  },
  {
    name: "a peer that breaks off is an error, on this read and the next, and ends the connection",
    needs: "resets",
    async run(subject) {
      const duplex = await request(subject, { do: "reset" });
      const lost = { name: "TransportError", driverCode: "TRANSPORT_LOST", message: /broke/ };
      await assert.rejects(duplex.read(), lost);
      await assert.rejects(duplex.read(), lost);
      await duplex.closed;
      await assert.rejects(duplex.write(pattern(0, 1)), lost);
      duplex.close();
      await assert.rejects(duplex.read(), { code: "TRANSPORT_CLOSED" });
    },
  },
  {
    name: "close wakes a read that waits, and says which connection and why",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      const waiting = duplex.read();
      const reason = new Error("a deadline passed");
      duplex.close(reason);
      await assert.rejects(waiting, (error: Error & { code: string }) => {
        assert.deepEqual([error.name, error.code, error.cause], ["TransportError", "TRANSPORT_CLOSED", reason]);
        assert.ok(error.message.includes(duplex.info.remote), error.message);
        return true;
      });
      await duplex.closed;
    },
  },
  {
    name: "after close everything fails with TRANSPORT_CLOSED, and close again does nothing",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      duplex.close();
      duplex.close();
      await duplex.closed;
      const closed = { name: "TransportError", code: "TRANSPORT_CLOSED" };
      await assert.rejects(duplex.read(), closed);
      await assert.rejects(duplex.write(pattern(0, 1)), closed);
      await assert.rejects(duplex.closeWrite(), closed);
    },
  },
  {
    name: "close reaches the peer",
    async run(subject) {
      const id = newId();
      const duplex = await request(subject, { do: "sink", id, bytes: 10 });
      await duplex.write(pattern(0, 10));
      await readReport(duplex);
      duplex.close();
      assert.equal((await reportOf(subject, id, "over")).over, true);
    },
  },
  {
    name: "a second read while one waits is refused, and the first goes on",
    async run(subject) {
      const duplex = await request(subject, { do: "echo" });
      const first = duplex.read();
      await assert.rejects(duplex.read(), { name: "TransportError", code: "TRANSPORT_BUSY" });
      await duplex.write(pattern(0, 1));
      assert.deepEqual(await first, pattern(0, 1));
      duplex.close();
    },
  },
  {
    name: "a peer that does not read makes writes wait, and they go on when it does",
    needs: "writeWaits",
    async run(subject) {
      const id = newId();
      const duplex = await request(subject, { do: "deaf", id, bytes: MORE_THAN_ANY_SYSTEM_BUFFERS });
      let written = 0;
      const writing = (async () => {
        for (; written < MORE_THAN_ANY_SYSTEM_BUFFERS; written += 65536) await duplex.write(pattern(written, 65536));
      })();
      await settled(subject, () => Promise.resolve(written));
      assert.ok(written < MORE_THAN_ANY_SYSTEM_BUFFERS / 2, `${written} bytes were written to a peer that read none`);
      const waking = await request(subject, { do: "wake", id });
      assert.equal(await waking.read(), null); // to close at once might take the request back
      waking.close();
      const report = await readReport(duplex);
      await writing;
      assert.deepEqual([report.received, report.intact], [MORE_THAN_ANY_SYSTEM_BUFFERS, true]);
      duplex.close();
    },
  },
  {
    name: "close wakes a write that waits",
    needs: "writeWaits",
    async run(subject) {
      const duplex = await request(subject, { do: "deaf", id: newId(), bytes: 1 });
      const writing = (async () => {
        for (let written = 0; written < MORE_THAN_ANY_SYSTEM_BUFFERS; written += 65536) {
          await duplex.write(pattern(written, 65536));
        }
      })();
      const outcome = assert.rejects(writing, { name: "TransportError", code: "TRANSPORT_CLOSED" });
      await settled(subject, () => Promise.resolve(0));
      duplex.close();
      await outcome;
    },
  },
  {
    name: "a reader that does not read makes the peer wait, and loses nothing",
    needs: "pausesPeer",
    async run(subject) {
      const id = newId();
      const duplex = await request(subject, { do: "source", id, bytes: MORE_THAN_ANY_SYSTEM_BUFFERS });
      const first = await duplex.read();
      assert.ok(first !== null && isPattern(first, 0));
      const sent = await settled(subject, async () => (await reportOf(subject, id, "now")).sent);
      assert.ok(sent < MORE_THAN_ANY_SYSTEM_BUFFERS / 2, `the peer sent ${sent} bytes to a reader that read none`);
      assert.equal(await readPattern(duplex, Infinity, first.length), MORE_THAN_ANY_SYSTEM_BUFFERS);
      duplex.close();
    },
  },
  {
    name: "an opening that is aborted rejects with the reason",
    needs: "openAborted",
    async run({ openAborted }) {
      if (openAborted === undefined) throw new Error("left out where it is undefined");
      const reason = new Error("enough");
      const aborted = { name: "TransportError", code: "TRANSPORT_ABORTED", cause: reason };
      await assert.rejects(openAborted(AbortSignal.abort(reason)), aborted, "before it began");
      const controller = new AbortController();
      const opening = openAborted(controller.signal);
      controller.abort(reason);
      await assert.rejects(opening, aborted, "on the way");
    },
  },
];

/** The cases that apply to a subject, and the others with what it lacks. */
export function casesFor(subject: Subject): { readonly applies: readonly Case[]; readonly lacks: readonly Case[] } {
  const applies = (one: Case) => one.needs === undefined || Boolean(subject[one.needs]);
  return { applies: contract.filter(applies), lacks: contract.filter((one) => !applies(one)) };
}

/** Opens a connection whose peer does what it is asked. */
async function request(subject: Subject, what: Request): Promise<Duplex> {
  const duplex = await subject.open();
  await duplex.write(new TextEncoder().encode(JSON.stringify(what) + "\n"));
  return duplex;
}

/** What another connection has done. */
async function reportOf(subject: Subject, id: string, when: "now" | "over"): Promise<Report> {
  const duplex = await request(subject, { do: "report", id, when });
  const report = await readReport(duplex);
  duplex.close();
  return report;
}

/**
 * A measure once it no longer changes while other connections are answered again and again: whoever is not held back
 * moves on meanwhile.
 */
async function settled(subject: Subject, measure: () => Promise<number>): Promise<number> {
  const other = await request(subject, { do: "echo" });
  let last = await measure();
  for (let unchanged = 0; unchanged < 50; unchanged++) {
    await other.write(pattern(0, 65536));
    await readExactly(other, 65536);
    const now = await measure();
    if (now !== last) unchanged = 0;
    last = now;
  }
  other.close();
  return last;
}

async function readExactly(duplex: Duplex, length: number): Promise<Uint8Array> {
  const whole = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const bytes = await duplex.read();
    assert.ok(bytes !== null, `the connection ended after ${filled} of ${length} bytes`);
    whole.set(bytes, filled);
    filled += bytes.length;
  }
  return whole;
}

/** Reads the pattern from `offset` on, to its end or to `length`, and says where it got to. */
async function readPattern(duplex: Duplex, length = Infinity, offset = 0): Promise<number> {
  while (offset < length) {
    const bytes = await duplex.read();
    if (bytes === null) return offset;
    assert.ok(isPattern(bytes, offset), `the bytes from ${offset} on are not what was sent`);
    offset += bytes.length;
  }
  return offset;
}

async function readReport(duplex: Duplex): Promise<Report> {
  let text = "";
  do {
    const bytes = await duplex.read();
    assert.ok(bytes !== null, `the connection ended after ${JSON.stringify(text)}`);
    text += new TextDecoder().decode(bytes);
  } while (!text.endsWith("}"));
  return JSON.parse(text);
}

function newId(): string {
  return crypto.randomUUID();
}
