/**
 * The Chrome DevTools Protocol, as little of it as is needed: commands and their answers over the pipe of
 * `--remote-debugging-pipe`, each JSON with a NUL after it, <https://chromedevtools.github.io/devtools-protocol/>. (Over
 * a port there is no PWA domain.)
 *
 * @module
 */

import type { Readable, Writable } from "node:stream";

type Fields = Readonly<Record<string, unknown>>;

/** A conversation with a browser. */
export interface DevTools {
  /** Sends a command, to the target of a session where one is named, and gives its result. */
  send(method: string, params?: Fields, sessionId?: string): Promise<Fields>;
  /** The parameters of the next event of this name that is the one. */
  next(event: string, isIt?: (params: Fields) => boolean): Promise<Fields>;
}

/** The pipe of a browser. */
export interface DevToolsPipe {
  readonly input: Writable;
  readonly output: Readable;
}

/** An answer to a command has an `id`, an event a `method`. */
interface Message {
  readonly id?: number;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: Fields;
}

/** Speaks with the browser at the other end. Commands that it leaves unanswered wait for ever: race them with its end. */
export function devTools({ input, output }: DevToolsPipe): DevTools {
  const answers = new Map<number, (answer: Message) => void>();
  const listeners = new Set<(event: Message) => void>();
  let lastId = 0;
  let unread = "";
  input.on("error", () => {}); // the browser is gone, which its owner notices
  output.on("error", () => {});
  output.setEncoding("utf8").on("data", (text: string) => {
    const messages = (unread + text).split("\0");
    unread = messages.pop() ?? "";
    for (const message of messages.map((json): Message => JSON.parse(json))) {
      if (message.id === undefined) { for (const listener of listeners) listener(message); }
      else answers.get(message.id)?.(message);
    }
  });
  return {
    async send(method, params = {}, sessionId) {
      const id = ++lastId;
      const answer = new Promise<Message>((resolve) => answers.set(id, resolve));
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      const { error, result = {} } = await answer;
      answers.delete(id);
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result;
    },
    next(event, isIt = () => true) {
      return new Promise((resolve) => {
        const listener = ({ method, params = {} }: Message) => {
          if (method !== event || !isIt(params)) return;
          listeners.delete(listener);
          resolve(params);
        };
        listeners.add(listener);
      });
    },
  };
}
