/**
 * Cipher suites, groups and alerts by their numbers and names (the IANA registries of TLS).
 *
 * @module
 */

/** A cipher suite's name with IANA. */
export type CipherSuite =
  | "TLS_AES_256_GCM_SHA384"
  | "TLS_CHACHA20_POLY1305_SHA256"
  | "TLS_AES_128_GCM_SHA256"
  | "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
  | "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
  | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
  | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
  | "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
  | "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";

/** Cipher suites, in the order in which they are offered. */
export const CIPHER_SUITES = {
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
} as const satisfies Record<CipherSuite, number>;

/** A group's name. */
export type Group = "X25519" | "P-256" | "P-384" | "X25519MLKEM768";

/** Groups for the key agreement (RFC 8446 §4.2.7, draft-ietf-tls-ecdhe-mlkem). */
export const GROUPS = {
  X25519: 0x001d,
  "P-256": 0x0017,
  "P-384": 0x0018,
  X25519MLKEM768: 0x11ec,
} as const satisfies Record<Group, number>;

export const TLS_1_2 = 0x0303;
export const TLS_1_3 = 0x0304;

export function protocolName(version: number): string {
  return version === TLS_1_3 ? "TLSv1.3" : version === TLS_1_2 ? "TLSv1.2" : `0x${version.toString(16)}`;
}

export function cipherName(suite: number): string {
  return nameIn(CIPHER_SUITES, suite) ?? `0x${suite.toString(16).padStart(4, "0")}`;
}

export function groupName(group: number): string | undefined {
  return nameIn(GROUPS, group);
}

function nameIn(table: Readonly<Record<string, number>>, wanted: number): string | undefined {
  return Object.entries(table).find(([, number]) => number === wanted)?.[0];
}

/** Alerts that we send (RFC 8446 §6.2). */
export const ALERT = {
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateExpired: 45,
  unknownAuthority: 48,
  internalError: 80,
} as const;

/** What the alerts that a server may send mean, and what helps. */
export const ALERT_WORDS: Readonly<Record<number, string>> = {
  10: "unexpected_message",
  20: "bad_record_mac",
  22: "record_overflow",
  40: "handshake_failure (no cipher suite, group or signature algorithm in common; or it wants a client certificate)",
  42: "bad_certificate (it does not take the client's certificate)",
  43: "unsupported_certificate (it does not take the client's certificate)",
  44: "certificate_revoked (the client's certificate was revoked)",
  45: "certificate_expired (the client's certificate is out of date)",
  46: "certificate_unknown (it does not take the client's certificate)",
  47: "illegal_parameter",
  48: "unknown_ca (it does not trust the authority of the client's certificate)",
  49: "access_denied",
  50: "decode_error",
  51: "decrypt_error",
  70: "protocol_version (it speaks neither TLS 1.3 nor TLS 1.2)",
  71: "insufficient_security (it asks for stronger ciphers)",
  80: "internal_error (its log may say more)",
  86: "inappropriate_fallback",
  90: "user_canceled",
  109: "missing_extension",
  110: "unsupported_extension",
  112: "unrecognized_name (it serves no such host name)",
  116: "certificate_required (it wants a client certificate)",
  120:
    "no_application_protocol (it does not speak the protocol offered by ALPN: PostgreSQL does directly from version 17)",
};
