import { openNode } from "../../src/duplex/node.ts";
import { testContract } from "./duplex_suite.ts";

const everything = { halfClose: true, resets: true, pausesPeer: true, writeWaits: true };

testContract("a TCP socket of Node", ({ tcp, mute }) => ({
  ...everything,
  open: () => openNode(tcp),
  openAborted: (signal) => openNode({ ...mute, signal }),
}));

testContract("a Unix-domain socket of Node", ({ unix }) => ({
  ...everything,
  resets: false, // the system knows none there
  open: () => openNode(unix),
}));
