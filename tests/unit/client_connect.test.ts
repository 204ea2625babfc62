import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, type DriverError } from "../../mod.ts";
import { concat, wire } from "../fixtures/bytes.ts";

const AUTHENTICATED = wire("'R' 00000008 00000000 'K' 0000000c 00000007 00000008 'Z' 00000005 'I'");
const FATAL = wire("'E' 0000001c 'VFATAL' 00 'C57P01' 00 'Mgoodbye' 00 00");

/** A client of a server that says this, whatever it is asked, and hangs up. */
function clientOf(...said: readonly Uint8Array[]): Client {
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(concat(said));
      controller.close();
    },
  });
  const openDuplex = () => ({ readable, writable: new WritableStream<Uint8Array>() });
  return new Client({ host: "peer", user: "user", database: "test", ssl: false, openDuplex });
}

test("a server that is gone as soon as it is ready leaves no client that believes to be connected", async () => {
  for (const lastWords of [[], [FATAL]]) {
    const client = clientOf(AUTHENTICATED, ...lastWords);
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    const connected = await client.connect().then(() => true, (error: DriverError) => {
      assert.equal(error.driverCode, lastWords.length === 0 ? "CONNECTION_ENDED" : "57P01");
      return false;
    });
    if (connected) await ended;
    await assert.rejects(client.query("select 1"), { code: "CLIENT_BROKEN" });
  }
});
