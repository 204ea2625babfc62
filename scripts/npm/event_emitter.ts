/**
 * Node's EventEmitter for runtimes that have none: what the packages' entries for browsers and Workers have in the place
 * of `events`, in a third of its size.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any -- as in Node's own types
export type Listener = (...args: any[]) => unknown;

type EventName = string | symbol;

interface Entry {
  readonly listener: Listener;
  readonly once: boolean;
}

/**
 * As `EventEmitter` of Node, without its static members and its warning of leaks.
 *
 * Source: Node.js documentation, "Events".
 */
export class EventEmitter {
  readonly #entries = new Map<EventName, readonly Entry[]>();
  #maxListeners = 10;

  /** Calls the listeners in order. An `error` that nobody listens to is thrown. */
  // deno-lint-ignore no-explicit-any -- as in Node's own types
  emit(name: EventName, ...args: any[]): boolean {
    const entries = this.#entries.get(name) ?? [];
    if (name === "error" && entries.length === 0) {
      throw args[0] instanceof Error ? args[0] : new Error(`Unhandled error. (${String(args[0])})`);
    }
    for (const entry of entries) {
      if (entry.once) this.#remove(name, entry);
      entry.listener.apply(this, args);
    }
    return entries.length > 0;
  }

  on(name: EventName, listener: Listener): this {
    return this.#add(name, { listener, once: false }, false);
  }

  addListener(name: EventName, listener: Listener): this {
    return this.on(name, listener);
  }

  once(name: EventName, listener: Listener): this {
    return this.#add(name, { listener, once: true }, false);
  }

  prependListener(name: EventName, listener: Listener): this {
    return this.#add(name, { listener, once: false }, true);
  }

  prependOnceListener(name: EventName, listener: Listener): this {
    return this.#add(name, { listener, once: true }, true);
  }

  /** Removes the listener that was added last, of those which are this one. */
  off(name: EventName, listener: Listener): this {
    const entry = this.#entries.get(name)?.findLast((one) => one.listener === listener);
    if (entry !== undefined) this.#remove(name, entry);
    return this;
  }

  removeListener(name: EventName, listener: Listener): this {
    return this.off(name, listener);
  }

  removeAllListeners(name?: EventName): this {
    for (const one of name === undefined ? this.eventNames().filter((other) => other !== "removeListener") : [name]) {
      for (const entry of [...this.#entries.get(one) ?? []].reverse()) this.#remove(one, entry);
    }
    if (name === undefined) this.#entries.clear();
    return this;
  }

  listeners(name: EventName): Listener[] {
    return (this.#entries.get(name) ?? []).map(({ listener }) => listener);
  }

  rawListeners(name: EventName): Listener[] {
    return this.listeners(name);
  }

  listenerCount(name: EventName, listener?: Listener): number {
    return this.listeners(name).filter((one) => listener === undefined || one === listener).length;
  }

  eventNames(): EventName[] {
    return [...this.#entries.keys()];
  }

  getMaxListeners(): number {
    return this.#maxListeners;
  }

  setMaxListeners(count: number): this {
    this.#maxListeners = count;
    return this;
  }

  #add(name: EventName, entry: Entry, first: boolean): this {
    if (typeof entry.listener !== "function") throw new TypeError("The listener must be a function");
    if (this.#entries.has("newListener")) this.emit("newListener", name, entry.listener);
    const entries = this.#entries.get(name) ?? [];
    this.#entries.set(name, first ? [entry, ...entries] : [...entries, entry]);
    return this;
  }

  /** Lists are replaced, never changed, since an `emit` may be going through one. */
  #remove(name: EventName, entry: Entry): void {
    const before = this.#entries.get(name);
    const left = before?.filter((one) => one !== entry) ?? [];
    if (left.length === before?.length) return;
    if (left.length > 0) this.#entries.set(name, left);
    else this.#entries.delete(name);
    if (this.#entries.has("removeListener")) this.emit("removeListener", name, entry.listener);
  }
}
