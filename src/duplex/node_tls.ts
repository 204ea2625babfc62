/**
 * TLS by `node:tls` over a connected socket; {@linkcode NodeDuplex.startTls} makes a Duplex of it.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ConnectionOptions, PeerCertificate, TLSSocket } from "node:tls";
import { builtinModule } from "../builtin_module.ts";
import type { DriverError, ErrorPlace, TlsError } from "../errors.ts";
import type { TlsInfo, TlsOptions } from "../tls/engine.ts";
import { codeOf } from "./failures.ts";
import { refusalOf } from "./node_options.ts";
import { isIpAddress } from "./target.ts";
import { certificateRefused, handshakeFailed, tlsOptionUnsupported } from "./tls_failures.ts";

/**
 * Negotiates TLS over a quiet socket and takes it over; on failure the socket is gone.
 *
 * @throws {TlsError} `TLS_CERTIFICATE` where the server's certificate was refused, `TLS_OPTION_UNSUPPORTED` for what only
 * the real Node can do, `TLS_HANDSHAKE` for anything else
 */
export function handshake(
  socket: Socket,
  options: TlsOptions,
  place: ErrorPlace,
  aborted: () => DriverError,
): Promise<TLSSocket> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const refuse = (error: DriverError) => {
      signal?.removeEventListener("abort", onAbort);
      secured?.on("error", () => {}); // of what was given up, nobody's
      secured?.destroy();
      socket.destroy();
      reject(error);
    };
    const onAbort = () => refuse(aborted());
    let secured: TLSSocket | undefined;
    if (signal?.aborted) return onAbort();
    const unsupported = ignoredByImitations(options, place);
    if (unsupported !== undefined) return refuse(unsupported);
    try {
      secured = tls().connect(connectionOptions(socket, options));
    } catch (cause) { // a PEM that cannot be read, an option of Node's that it refuses
      return refuse(handshakeFailed(cause, place));
    }
    const tlsSocket = secured;
    let peer: PeerCertificate | undefined;
    // Before Node's own listener, which destroys the socket of a refused certificate and the certificate with it.
    tlsSocket.prependOnceListener("secure", () => peer = peerOf(tlsSocket));
    const onError = (cause: Error) => {
      const refused = peer !== undefined || CERTIFICATE_CODE.test(codeOf(cause) ?? "");
      refuse(
        refused
          ? certificateRefused({ serverName: options.serverName, ...namesOf(peer) }, cause, place)
          : handshakeFailed(cause, place),
      );
    };
    const onClose = () => refuse(handshakeFailed(new Error("the server closed the connection"), place));
    signal?.addEventListener("abort", onAbort, { once: true });
    tlsSocket.once("error", onError);
    tlsSocket.once("close", onClose);
    tlsSocket.once("secureConnect", () => {
      const nameError = unverifiedNameError(tlsSocket, options);
      if (nameError) return onError(nameError);
      signal?.removeEventListener("abort", onAbort);
      tlsSocket.off("error", onError);
      tlsSocket.off("close", onClose);
      resolve(tlsSocket);
    });
  });
}

/** What was agreed. */
export function tlsInfo(socket: TLSSocket): TlsInfo {
  const group = socket.getEphemeralKeyInfo() as { name?: string } | null;
  const raw = peerOf(socket)?.raw;
  return {
    protocol: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher()?.name,
    group: group?.name,
    alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
    peerCertificate: raw && new Uint8Array(raw),
  };
}

function connectionOptions(socket: Socket, options: TlsOptions): ConnectionOptions {
  const { serverName, verify, roots, alpn, clientCertificate, minVersion, maxVersion, nodeOptions } = options;
  // A type of its own, since Node's lacks allowHalfOpen, which its TLS knows as its sockets do.
  const own: ConnectionOptions & { allowHalfOpen: boolean } = {
    ...nodeOptions,
    socket,
    allowHalfOpen: true,
    ...(isIpAddress(serverName) ? { servername: undefined } : { servername: serverName }),
    rejectUnauthorized: verify.chain,
    checkServerIdentity: verify.chain && verify.name
      ? (_, certificate) => nameCheck(options)(serverName, certificate)
      : () => undefined,
    ...(roots && { ca: [...roots] }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    ...clientCertificate,
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
  };
  return own;
}

/** What Deno's `node:tls` honours of Node's own options; of the others it takes no notice. */
const HONOURED_BY_DENO = ["ALPNProtocols", "cert", "checkServerIdentity", "key", "passphrase", "pfx"];

/** Other runtimes' `node:tls` goes on without what it cannot do; found by trying each option against a server. */
function ignoredByImitations(options: TlsOptions, place: ErrorPlace): TlsError | undefined {
  const { nodeOptions = {}, maxVersion = "TLSv1.3" } = options;
  const { deno, bun } = versions() as { deno?: string; bun?: string };
  const refuse = (platform: string, [option, instead]: [string, string]) =>
    tlsOptionUnsupported(platform, option, instead, place);
  if (deno !== undefined) {
    if (maxVersion < "TLSv1.2") {
      return refuse("Deno's node:tls", [`speak ${maxVersion}`, "TLSv1.2 is the oldest version that it knows"]);
    }
    const ignored = Object.keys(nodeOptions).filter((name) => !HONOURED_BY_DENO.includes(name));
    if (ignored.length > 0) return refuse("Deno's node:tls", refusalOf(ignored));
  }
  const { ciphers } = nodeOptions;
  if (bun !== undefined && typeof ciphers === "string" && /\bTLS_/.test(ciphers)) {
    return refuse("Bun's node:tls", ["choose cipher suites of TLS 1.3", refusalOf(["ciphers"])[1]]);
  }
}

/** Node checks the name only of a chain that it verified; with `chain` off and `name` on that is left to us. */
function unverifiedNameError(socket: TLSSocket, options: TlsOptions): Error | undefined {
  const { verify, serverName } = options;
  if (verify.chain || !verify.name) return undefined;
  return nameCheck(options)(serverName, socket.getPeerCertificate(true));
}

type NameCheck = (serverName: string, certificate: PeerCertificate) => Error | undefined;

function nameCheck({ nodeOptions }: TlsOptions): NameCheck {
  const own = nodeOptions?.checkServerIdentity;
  return typeof own === "function" ? own as NameCheck : tls().checkServerIdentity;
}

// Node's names of OpenSSL's reasons (X509_V_ERR_...), and its own for a name that does not match.
const CERTIFICATE_CODE =
  /^(ERR_TLS_CERT_|UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|ERROR_IN_CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|CRL_|HOSTNAME_)/;

/**
 * The server's certificate. Not by `getPeerX509Certificate`, which in Node 20 takes it away from whoever asks next, and
 * that is Node's own check of the name.
 */
function peerOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerCertificate() as PeerCertificate | undefined;
  return certificate?.raw === undefined ? undefined : certificate;
}

/** Subject and issuer as OpenSSL writes them: `C=DE, CN=localhost`. */
function namesOf(certificate: PeerCertificate | undefined): { subject?: string; issuer?: string } {
  if (certificate === undefined) return {};
  const line = (name: object) => Object.entries(name).map(([type, value]) => `${type}=${value}`).join(", ");
  return { subject: line(certificate.subject), issuer: line(certificate.issuer) };
}

function tls(): typeof import("node:tls") {
  return builtinModule("node:tls") as typeof import("node:tls");
}

function versions(): Readonly<Record<string, string | undefined>> {
  return (globalThis as { process?: { versions?: Record<string, string | undefined> } }).process?.versions ?? {};
}
