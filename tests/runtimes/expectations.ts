/**
 * What little of an assertion library the program needs: not every runtime has `node:assert`.
 *
 * @module
 */

/** Fails unless both are the same when written as JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== wanted) throw new Error(`${what}: ${shorten(is)} where ${shorten(wanted)} was expected`);
}

/** Fails unless `promise` rejects with this code; what it rejects with instead is rejected with. */
export async function rejects(promise: Promise<unknown>, code: string): Promise<Error> {
  let error: unknown;
  try {
    await promise;
  } catch (rejection) {
    error = rejection;
  }
  if (error === undefined) throw new Error(`it worked where ${code} was expected`);
  if (codeOf(error) !== code) throw error;
  return error as Error;
}

/** What `promise` gives, or a failure after `millis`. */
export async function within<T>(millis: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${millis} ms`)), millis);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An error as plain data. */
export function describeFailure(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const cause = error.cause instanceof Error ? ` (${describeFailure(error.cause).message})` : "";
  return { code: codeOf(error), message: `${error.name}: ${error.message}${cause}` };
}

function codeOf(error: unknown): string | undefined {
  const { driverCode, code } = error as { code?: unknown; driverCode?: unknown };
  if (typeof driverCode === "string") return driverCode; // the same on every runtime
  return typeof code === "string" ? code : undefined;
}

function shorten(text: string | undefined): string {
  return text === undefined ? "undefined" : text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
