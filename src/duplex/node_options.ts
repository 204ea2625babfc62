/**
 * Options of an `ssl` object that Node's TLS alone knows: what to say of them where other TLS is used.
 *
 * @module
 */

/** What to do instead, where there is something. docs/tls.md has the whole table. */
const INSTEAD: Readonly<Record<string, string>> = {
  ALPNProtocols: "sslnegotiation=direct offers PostgreSQL's own",
  cert: "give one certificate with its intermediates, and one key",
  checkServerIdentity: "give the certificate's name as ssl.servername, or verify the chain alone " +
    "(uselibpqcompat=true, sslmode=verify-ca)",
  ciphers: "minVersion=TLSv1.3 leaves only good ones; tlsEngine: wolfssl({ cipherSuites }) names them",
  crl: "revocation is not checked here",
  ecdhCurve: "tlsEngine: wolfssl({ groups }) names them",
  pfx: "give ssl.cert and ssl.key, which openssl pkcs12 -nodes makes of it",
  secureContext: "give what it was made of: ssl.ca, ssl.cert, ssl.key",
  secureProtocol: "ssl.minVersion and ssl.maxVersion say the same",
};

/** The names of the options, and what to do about them: the two halves of a refusal. */
export function refusalOf(names: readonly string[]): [option: string, instead: string] {
  const advice = names.flatMap((name) => INSTEAD[name] ?? []);
  return [
    `honour ${names.map((name) => `ssl.${name}`).join(", ")}`,
    advice.length > 0 ? advice.join("; ") : "it is an option of Node's own TLS: leave it out",
  ];
}
