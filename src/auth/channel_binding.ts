/**
 * Channel binding: the choice of the SCRAM mechanism that follows from whether both sides can do it.
 *
 * @module
 */

import { failure } from "./failure.ts";
import type { ScramBinding } from "./scram.ts";

/** What {@linkcode chooseBinding} decides by. */
export interface BindingChoice {
  /** The mechanisms of AuthenticationSASL. */
  readonly offered: readonly string[];
  readonly channelBinding: "disable" | "prefer" | "require";
  /** Whether the connection is TLS; a server that offers to bind to anything else is not to be trusted. */
  readonly encrypted: boolean;
  /** From `tlsServerEndPoint`; undefined where the platform shows no certificate or it has no hash. */
  readonly endPoint: Uint8Array | undefined;
}

/**
 * Chooses the binding, and so the mechanism, as libpq does: the strongest that both sides can do.
 *
 * @throws {AuthenticationError} `AUTH_MECHANISM_UNSUPPORTED`: the server offers nothing that is known here;
 * `AUTH_CHANNEL_BINDING_REQUIRED`: `channel_binding=require` cannot be met; `AUTH_CHANNEL_BINDING_UNENCRYPTED`: the
 * server offers binding outside TLS
 */
export function chooseBinding({ offered, channelBinding, encrypted, endPoint }: BindingChoice): ScramBinding {
  const plus = offered.includes("SCRAM-SHA-256-PLUS");
  const plain = offered.includes("SCRAM-SHA-256");
  if (plus && !encrypted) {
    throw failure(
      "AUTH_CHANNEL_BINDING_UNENCRYPTED",
      "the server offers SCRAM-SHA-256-PLUS over a connection that is not TLS; somebody may have removed it on the way",
    );
  }
  if (channelBinding === "require" && !(plus && endPoint)) {
    const why = !encrypted
      ? "the connection is not TLS"
      : plus
      ? "this platform's TLS does not show the server's certificate, or its signature has no hash to bind to"
      : "the server does not offer SCRAM-SHA-256-PLUS";
    throw failure("AUTH_CHANNEL_BINDING_REQUIRED", `channel_binding=require cannot be met: ${why}`);
  }
  if (plus && endPoint && channelBinding !== "disable") return { kind: "tls-server-end-point", data: endPoint };
  if (plain) return { kind: endPoint && channelBinding !== "disable" ? "supported-but-unused" : "none" };
  const token = offered.includes("OAUTHBEARER") ? "; for OAUTHBEARER, set oauthBearerToken" : "";
  const offers = offered.length === 0 ? "none" : JSON.stringify(offered);
  throw failure(
    "AUTH_MECHANISM_UNSUPPORTED",
    `of the SASL mechanisms that the server offers, none can be used here: ${offers}; known are SCRAM-SHA-256 and, ` +
      `where TLS shows the server's certificate and channel_binding is not disable, SCRAM-SHA-256-PLUS${token}`,
  );
}
