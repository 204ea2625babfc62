/** What each process of slonik's tests does first. @module */

import { registerCompletionHandler } from "ava";

// Some leave their pools open.
registerCompletionHandler(() => process.exit());
