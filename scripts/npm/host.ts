/**
 * What takes the place of src/config/host.ts in pages, which have neither files nor an environment.
 *
 * @module
 */

import type * as host from "../../src/config/host.ts";

type Host = Pick<typeof host, "env" | "userName" | "userIsNamed" | "inDomain">;

export const env: Host["env"] = () => undefined;

export const userName: Host["userName"] = () => undefined;

export const userIsNamed: Host["userIsNamed"] = () => false;

export const inDomain: Host["inDomain"] = (callback) => callback;
