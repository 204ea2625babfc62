/**
 * What was said about authentication: `require_auth` and channel binding.
 *
 * @module
 */

import type { AuthMethod, ConnectionOptions, RequireAuth } from "./options.ts";
import { flag, oneOf } from "./readers.ts";
import { invalid, type Setting, type Settings, wrong } from "./settings.ts";

const METHODS: readonly AuthMethod[] = ["none", "password", "md5", "scram-sha-256", "scram-sha-256-plus", "oauth"];
/** Methods of libpq that this driver never uses, so that refusing them is easy and accepting them is empty. */
const OTHER_METHODS = ["gss", "sspi"];

/**
 * libpq's `require_auth`: a comma-separated list of methods, either all plain or all negated with `!`.
 *
 * @throws {ConfigError} `CONFIG_REQUIRE_AUTH`
 */
export function resolveRequireAuth(settings: Settings): RequireAuth | undefined {
  return settings.read(methodList, "requireAuth", "require_auth");
}

function methodList(setting: Setting): RequireAuth {
  const code = "CONFIG_REQUIRE_AUTH";
  const words = String(setting.value).split(",").map((word) => word.trim());
  const negated = words[0].startsWith("!");
  if (words.some((word) => word.startsWith("!") !== negated)) {
    throw wrong(setting, "mixes negated and plain methods", code);
  }
  const names = words.map((word) => word.replace(/^!\s*/, ""));
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw wrong(setting, `names ${JSON.stringify(repeated)} more than once`, code);
  const methods = names.filter((name): name is AuthMethod => METHODS.some((method) => method === name));
  const unknown = names.some((name) => ![...METHODS, ...OTHER_METHODS].includes(name));
  if (unknown || (!negated && methods.length === 0)) {
    throw invalid(setting, `a list of ${METHODS.join(", ")}, all or none of them with !`, code);
  }
  return Object.freeze({ negated, methods: Object.freeze(methods) });
}

/**
 * Channel binding by libpq's names, or node-postgres's `enableChannelBinding`.
 *
 * @throws {ConfigError} `CONFIG_VALUE`
 */
export function resolveChannelBinding(settings: Settings): ConnectionOptions["channelBinding"] {
  return settings.read(binding, "channelBinding", "channel_binding", "enableChannelBinding") ?? "prefer";
}

function binding(setting: Setting): ConnectionOptions["channelBinding"] {
  if (setting.option === "enableChannelBinding") return flag(setting) ? "prefer" : "disable";
  return oneOf(["disable", "prefer", "require"])(setting);
}
