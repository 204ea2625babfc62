import { Exchange } from "./exchange.ts";

/** What cannot be sent, and takes its turn all the same: it fails where it would have been written. */
export class Unsendable extends Exchange {
  readonly #error: Error;
  readonly #failed: (error: Error) => void;

  constructor(error: Error, failed: (error: Error) => void) {
    super();
    this.#error = error;
    this.#failed = failed;
  }

  override encode(): void {
    throw this.#error;
  }

  override handle(): void {}

  override error(): void {}

  override ready(): void {}

  override fail(error: Error): void {
    this.#failed(error);
  }
}
