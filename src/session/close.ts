import type { Duplex } from "../duplex/duplex.ts";
import { terminate } from "../protocol/frontend.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";

/** How long the server has to close its side. */
const DEADLINE_MILLIS = 1_000;

/** Says goodbye after what was written, and closes. Never rejects: where the connection breaks meanwhile it is closed too. */
export async function closeCleanly(duplex: Duplex, writer: MessageWriter): Promise<void> {
  const deadline = setTimeout(() => duplex.close("the server did not close its side"), DEADLINE_MILLIS);
  try {
    terminate(writer);
    await duplex.write(writer.take());
    await duplex.closeWrite();
    await duplex.closed;
  } catch {
    // Closed is closed.
  } finally {
    clearTimeout(deadline);
    duplex.close("ended");
  }
}
