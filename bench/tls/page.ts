/**
 * Does rounds in a page: asks its site for tasks, and gives it the outcomes.
 *
 * @module
 */

import { performer } from "./perform.ts";

const perform = performer();
for (;;) {
  const task = await (await fetch("/task")).json();
  await fetch("/outcome", { method: "POST", body: JSON.stringify(await perform(task)) });
}
