/**
 * All that is measured, by short names.
 *
 * @module
 */

import { copyScenarios } from "./copy_scenarios.ts";
import { poolScenarios } from "./pool_scenarios.ts";
import { queryScenarios } from "./query_scenarios.ts";
import { rowScenarios } from "./row_scenarios.ts";
import type { Scenario } from "./scenario.ts";

export const scenarios: Readonly<Record<string, Scenario>> = {
  ...queryScenarios,
  ...rowScenarios,
  ...copyScenarios,
  ...poolScenarios,
};
