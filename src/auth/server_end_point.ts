/**
 * What channel binding by `tls-server-end-point` (RFC 5929 §4) binds to: the hash of the server's certificate.
 *
 * @module
 */

import { AuthenticationError } from "../errors.ts";
import { readSignatureAlgorithm, type SignatureAlgorithm } from "./certificate.ts";

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

function hashOf({ algorithm, digest }: SignatureAlgorithm): Hash {
  const hash = algorithm === RSASSA_PSS ? HASH_OF_DIGEST[digest ?? ""] : HASH_OF_SIGNATURE[algorithm];
  if (hash !== undefined) return hash;
  const name = digest === undefined ? algorithm : `${algorithm} with ${digest}`;
  throw new AuthenticationError(
    "AUTH_CHANNEL_BINDING_UNSUPPORTED",
    `channel binding is not possible: the server's certificate is signed by algorithm ${name}, for which no hash is ` +
      "defined or available; use a certificate signed with RSA or ECDSA and SHA-2, or channel_binding=disable",
    { phase: "authentication" },
  );
}
