import { openDeno } from "../../src/duplex/deno.ts";
import { testContract } from "./duplex_suite.ts";

const everything = { halfClose: true, resets: true, pausesPeer: true, writeWaits: true };
const skip = "Deno" in globalThis ? false : "Deno's sockets exist in Deno alone";

testContract("a TCP socket of Deno", ({ tcp, mute }) => ({
  ...everything,
  open: () => openDeno(tcp),
  openAborted: (signal) => openDeno({ ...mute, signal }),
}), skip);

testContract("a Unix-domain socket of Deno", ({ unix }) => ({
  ...everything,
  resets: false, // the system knows none there
  open: () => openDeno(unix),
}), skip);
