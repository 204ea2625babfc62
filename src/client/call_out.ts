/**
 * Calls the program's own code from inside a session. What it throws is the program's: it surfaces outside, as what a
 * timer's callback throws does, and is no fault of the connection.
 */
export function callOut(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
