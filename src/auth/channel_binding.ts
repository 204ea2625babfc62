/**
 * Channel binding by `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate, and the choice of the
 * SCRAM mechanism that follows from whether both sides can do it.
 *
 * @module
 */

import { AuthenticationError } from "../errors.ts";
import { readSignatureAlgorithm, type SignatureAlgorithm } from "./certificate.ts";
import type { ScramBinding } from "./scram.ts";

type Hash = "SHA-256" | "SHA-384" | "SHA-512";

const RSASSA_PSS = "1.2.840.113549.1.1.10";

/** RFC 5929 §4.1: the signature's own hash, but SHA-256 where that is MD5 or SHA-1. */
const HASH_OF_SIGNATURE: Readonly<Record<string, Hash>> = {
  "1.2.840.113549.1.1.4": "SHA-256", // md5WithRSAEncryption
  "1.2.840.113549.1.1.5": "SHA-256", // sha1WithRSAEncryption
  "1.2.840.113549.1.1.11": "SHA-256", // sha256WithRSAEncryption
  "1.2.840.113549.1.1.12": "SHA-384", // sha384WithRSAEncryption
  "1.2.840.113549.1.1.13": "SHA-512", // sha512WithRSAEncryption
  "1.2.840.10045.4.1": "SHA-256", // ecdsa-with-SHA1
  "1.2.840.10045.4.3.2": "SHA-256", // ecdsa-with-SHA256
  "1.2.840.10045.4.3.3": "SHA-384", // ecdsa-with-SHA384
  "1.2.840.10045.4.3.4": "SHA-512", // ecdsa-with-SHA512
};

/** The same for the hash that RSASSA-PSS names as a parameter (RFC 4055 §2.1). */
const HASH_OF_DIGEST: Readonly<Record<string, Hash>> = {
  "1.2.840.113549.2.5": "SHA-256", // id-md5
  "1.3.14.3.2.26": "SHA-256", // id-sha1
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

/**
 * The channel-binding data of a connection to a server with this certificate.
 *
 * Signatures without a hash of their own, as Ed25519 and ML-DSA, have no defined data: PostgreSQL refuses to bind to
 * such a certificate, on both sides, and so does this.
 *
 * @param certificateDer the server's end-entity certificate, as in `TlsInfo.peerCertificate`
 * @throws {AuthenticationError} `AUTH_CHANNEL_BINDING_UNSUPPORTED`: no hash is defined for the certificate, or the
 * platform lacks it; `AUTH_CHANNEL_BINDING_CERTIFICATE`: it is not a certificate
 */
export async function tlsServerEndPoint(certificateDer: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const hash = hashOf(readSignatureAlgorithm(certificateDer));
  return new Uint8Array(await crypto.subtle.digest(hash, new Uint8Array(certificateDer)));
}

/** What {@linkcode chooseBinding} decides by. */
export interface BindingChoice {
  /** The mechanisms of AuthenticationSASL. */
  readonly offered: readonly string[];
  readonly channelBinding: "disable" | "prefer" | "require";
  /** Whether the connection is TLS; a server that offers to bind to anything else is not to be trusted. */
  readonly encrypted: boolean;
  /** From {@linkcode tlsServerEndPoint}; undefined where the platform shows no certificate or it has no hash. */
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

function hashOf({ algorithm, digest }: SignatureAlgorithm): Hash {
  const hash = algorithm === RSASSA_PSS ? HASH_OF_DIGEST[digest ?? ""] : HASH_OF_SIGNATURE[algorithm];
  if (hash !== undefined) return hash;
  const name = digest === undefined ? algorithm : `${algorithm} with ${digest}`;
  throw failure(
    "AUTH_CHANNEL_BINDING_UNSUPPORTED",
    `channel binding is not possible: the server's certificate is signed by algorithm ${name}, for which no hash is ` +
      "defined or available; use a certificate signed with RSA or ECDSA and SHA-2, or channel_binding=disable",
  );
}

function failure(code: string, message: string): AuthenticationError {
  return new AuthenticationError(code, message, { phase: "authentication" });
}
