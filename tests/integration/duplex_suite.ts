import { test } from "node:test";
import type { PeerAddresses } from "../fixtures/peers.ts";
import { startPeers } from "../fixtures/peers.ts";
import { casesFor } from "./duplex_contract.ts";
import type { Subject } from "./duplex_contract.ts";

const timeout = 60_000; // milliseconds after which a case counts as hanging

/**
 * Runs the contract over one implementation. Cases about what its transport lacks are left out; what it lacks stands
 * in the subject.
 */
export function testContract(
  name: string,
  subjectOf: (addresses: PeerAddresses) => Subject | Promise<Subject>,
  skip: string | false = false,
): void {
  test(`${name} keeps the Duplex contract`, { skip }, async (t) => {
    const peers = await startPeers();
    try {
      const subject = await subjectOf(peers.addresses);
      for (const { name, run } of casesFor(subject).applies) await t.test(name, { timeout }, () => run(subject));
      if (subject.openAborted) {
        await t.test("an aborted opening lets go of its socket", { timeout }, () => peers.muteIsAlone());
      }
    } finally {
      await peers.close();
    }
  });
}
