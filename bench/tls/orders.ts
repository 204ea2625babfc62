/**
 * What the parts of the TLS benchmarks tell each other; plain data, since they run in different processes.
 *
 * @module
 */

/** Where the far end listens, on 127.0.0.1, with a certificate for `localhost` and 127.0.0.1. */
export interface FarEnd {
  /** TLS that sends back what comes. */
  readonly echo: number;
  /** TLS that does what an {@linkcode Order} says. */
  readonly bulk: number;
  /** Our proxy, which leads to both. */
  readonly proxy: string;
}

/** The first message of a connection to the bulk server. It answers with one byte when it is ready. */
export type Order =
  /** Waits for another message, and sends so many bytes in records of this size. */
  | { readonly do: "source"; readonly bytes: number; readonly record: number }
  /** Takes so many bytes, and says so with one. */
  | { readonly do: "sink"; readonly bytes: number };

/** One round: what a process, a page or a Worker is to measure, and of whom. */
export interface Task {
  readonly farEnd: FarEnd;
  /** The PEM of the authority to trust. */
  readonly ca: string;
  readonly contender: string;
  readonly scenario: string;
  /** Multiplies the amounts. */
  readonly scale: number;
  /** Where somebody who cannot tell its own {@linkcode Usage} asks for it. */
  readonly usageUrl: string;
}

/** What a runtime has used so far, all of its processes together. */
export interface Usage {
  /** User and system time. */
  readonly cpuMillis: number;
  readonly residentBytes: number;
}

/** What one round cost. */
export interface Round {
  /** Handshakes, megabytes (10^6 bytes), turns or connections. */
  readonly units: number;
  readonly wallMillis: number;
  readonly cpuMillis: number;
  /** By how much more was resident after the round than before, in bytes. */
  readonly grownBytes: number;
}

/** What comes of a round. */
export type Outcome = Round | { readonly error: string };
