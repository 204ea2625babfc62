import { letProcessExit } from "../duplex/waiting.ts";

/** Tells when a session has stood idle for so long. */
export class IdleWatch {
  readonly #millis: number;
  readonly #isIdle: () => boolean;
  readonly #onTime: () => void;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param millis 0: never */
  constructor(millis: number, isIdle: () => boolean, onTime: () => void) {
    this.#millis = millis;
    this.#isIdle = isIdle;
    this.#onTime = onTime;
  }

  start(): void {
    if (this.#millis <= 0) return;
    this.begin();
    this.#wait(this.#millis);
  }

  /** It is idle from now on. */
  begin(): void {
    if (this.#millis > 0) this.#since = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #check = (): void => {
    const idle = this.#isIdle() ? performance.now() - this.#since : 0;
    if (idle >= this.#millis) this.#onTime();
    else this.#wait(this.#millis - idle);
  };

  /** What keeps the process alive is the connection, unless it is told not to. */
  #wait(millis: number): void {
    this.#timer = setTimeout(this.#check, millis);
    letProcessExit(this.#timer);
  }
}
