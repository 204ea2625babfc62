/**
 * The engine: negotiates TLS over any Duplex.
 *
 * @module
 */

import type { Duplex } from "../src/duplex/duplex.ts";
import { type ErrorPlace, TlsError } from "../src/errors.ts";
import type { TlsDuplex, TlsEngine, TlsOptions } from "../src/tls/engine.ts";
import { TlsConnection } from "./connection.ts";
import { chooseCrypto } from "./crypto_choice.ts";
import { aborted, alertOf, certificateRefused, CoreFailure, handshakeFailed } from "./failures.ts";
import { KeyAgreement } from "./key_agreement.ts";
import { embeddedModule, fetchModule } from "./module.ts";
import { settingsOf, type Trust, trustOf, type WolfSslOptions } from "./options.ts";
import { RecordCrypto } from "./record_crypto.ts";
import { type KeptSession, SessionCache } from "./resumption.ts";
import { Session, type SessionSettings } from "./session.ts";
import { VerifiedSignatures } from "./signatures.ts";
import { ALERT, TLS_1_3 } from "./suites.ts";
import { readCertificate } from "./x509/certificate.ts";
import { CertificateRefused, verifyCertificates } from "./x509/verify.ts";

/** What an engine keeps from one connection for the next. */
interface EngineMemory {
  readonly sessions: SessionCache;
  readonly signatures: VerifiedSignatures;
}

export class WolfSslEngine implements TlsEngine {
  readonly name = "wolfssl";
  readonly bringsPublicRoots = true;
  readonly #options: WolfSslOptions;
  readonly #memory: EngineMemory = { sessions: new SessionCache(), signatures: new VerifiedSignatures() };

  /** What was fetched, or is being fetched; a failed attempt is not kept. */
  #fetched: Promise<WebAssembly.Module> | undefined;

  constructor(options: WolfSslOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    await this.#module();
  }

  async #module(): Promise<WebAssembly.Module> {
    const { module } = this.#options;
    if (module === undefined) return await embeddedModule();
    if (!(module instanceof URL)) return module;
    this.#fetched ??= fetchModule(module).catch((error) => {
      this.#fetched = undefined;
      throw error;
    });
    return await this.#fetched;
  }

  async #prepared(
    options: TlsOptions,
  ): Promise<{ trust: Trust; settings: SessionSettings; module: WebAssembly.Module }> {
    const trust = await trustOf(options, this.#options);
    const settings = await settingsOf(options, this.#options);
    return { trust, settings, module: await this.#module() };
  }

  async connect(duplex: Duplex, options: TlsOptions): Promise<TlsDuplex> {
    const place = { transport: duplex.info.transport, phase: "tls" as const };
    const { signal } = options;
    let giveUp = () => {};
    const abortion = new Promise<never>((_, reject) => giveUp = () => reject(signal?.reason));
    abortion.catch(() => {});
    const onAbort = () => {
      duplex.close(signal?.reason);
      giveUp();
    };
    let handshake: Handshake | undefined;
    try {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", onAbort, { once: true });
      // What has to be loaded may never come, and closing the Duplex does not end the wait for it.
      const { trust, settings, module } = await Promise.race([this.#prepared(options), abortion]);
      handshake = new Handshake(duplex, options, this.#options, trust, this.#memory);
      return await handshake.run(module, settings);
    } catch (cause) {
      handshake?.release();
      const error = signal?.aborted ? aborted(signal.reason, place) : failureOf(cause, handshake, options, place);
      duplex.close(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

function failureOf(cause: unknown, handshake: Handshake | undefined, options: TlsOptions, place: ErrorPlace): unknown {
  const refused = handshake?.refused;
  if (refused instanceof CertificateRefused) return certificateRefused(refused, options.serverName, place);
  return handshakeFailed(refused ?? cause, place);
}

/** One connection from its first byte to its first application data. */
class Handshake {
  readonly #duplex: Duplex;
  readonly #options: TlsOptions;
  readonly #engine: WolfSslOptions;
  readonly #trust: Trust;
  readonly #memory: EngineMemory;
  #keys: KeyAgreement | undefined;
  #session: Session | undefined;
  #recordCrypto: RecordCrypto | undefined;
  #certificate: Uint8Array | undefined;

  /** Why the server's certificate was refused, once it was. */
  refused: unknown;

  constructor(
    duplex: Duplex,
    options: TlsOptions,
    engine: WolfSslOptions,
    trust: Trust,
    memory: EngineMemory,
  ) {
    this.#duplex = duplex;
    this.#options = options;
    this.#engine = engine;
    this.#trust = trust;
    this.#memory = memory;
  }

  async run(module: WebAssembly.Module, settings: SessionSettings): Promise<TlsDuplex> {
    const key = this.#engine.resumption === false ? undefined : this.#cacheKey();
    const kept = key === undefined ? undefined : this.#memory.sessions.take(key, Date.now());
    const choice = chooseCrypto(this.#engine.crypto ?? "auto");
    const [group] = settings.groups;
    // In TLS 1.2 the client makes its key after the server's, when there is no time left to work ahead.
    if (settings.maximumProtocol === TLS_1_3 && group !== undefined && settings.groups.some(choice.agrees)) {
      this.#keys = new KeyAgreement(choice.agrees);
      await this.#keys.prepare(group);
    }
    const keysPrepared = this.#keys !== undefined;
    const session = await Session.create(module, { ...settings, keysPrepared, resume: kept?.bytes }, {
      verifyChain: (at, certificates) => this.#verify(at, certificates),
      preparedKey: (wanted, target) => this.#keys?.preparedKey(wanted, target) ?? 0,
      preparedSecret: (wanted, peer, target) => this.#keys?.preparedSecret(wanted, peer, target) ?? 0,
    });
    this.#session = session;
    await this.#negotiate(session);
    if (session.resumed) this.#certificate = kept?.certificate;
    if (choice.records !== undefined) {
      this.#recordCrypto = new RecordCrypto(session, choice.records);
      this.#recordCrypto.openAhead(session.records.unread, 0);
    }
    return this.#connection(session, key);
  }

  release(): void {
    this.#session?.destroy();
  }

  async #negotiate(session: Session): Promise<void> {
    const { records } = session;
    for (;;) {
      // Asked before the core is: what is held now may be free by the time that it has returned.
      const { hold } = records;
      let done: boolean;
      try {
        done = session.handshake();
      } catch (error) {
        // The alert with which the core tells the server why.
        await this.#flush(session).catch(() => {});
        throw error;
      }
      // In TLS 1.3 the last word is ours. It leaves with the first data, in one packet: a second small one would wait for
      // the peer's acknowledgement of the first wherever the transport leaves Nagle's algorithm on.
      if (done) return;
      await this.#flush(session);
      if (hold !== undefined) {
        await hold;
        continue;
      }
      const chunk = await this.#duplex.read();
      if (chunk === null) records.end();
      else for (const record of records.push(chunk)) this.#keys?.watch(record);
    }
  }

  async #flush(session: Session): Promise<void> {
    const output = session.takeOutput();
    if (output !== undefined) await this.#duplex.write(output);
  }

  /** Called by the core within the handshake: 0, or the alert to refuse with. */
  #verify(session: Session, certificates: readonly Uint8Array[]): number {
    const { verify, serverName } = this.#options;
    this.#certificate = certificates[0];
    if (!verify.chain && !verify.name) return 0;
    try {
      verifyCertificates({
        presented: certificates,
        ...this.#trust,
        serverName: verify.name ? serverName : undefined,
        chain: verify.chain,
        now: Date.now(),
        verifySignature: (certificate, issuerKeyInfo) =>
          this.#memory.signatures.verify(session.core, certificate, issuerKeyInfo),
      });
      return 0;
    } catch (error) {
      this.refused = error;
      return error instanceof CertificateRefused ? alertOf(error.check) : ALERT.internalError;
    }
  }

  #connection(session: Session, key: string | undefined): TlsDuplex {
    const { verify } = this.#options;
    const certificate = this.#certificate;
    if (certificate === undefined) {
      throw new TlsError("TLS_HANDSHAKE", "the server showed no certificate", {
        phase: "tls",
        cause: new CoreFailure(-345, undefined),
      });
    }
    return new TlsConnection({
      duplex: this.#duplex,
      session,
      recordCrypto: this.#recordCrypto,
      verified: verify.chain && verify.name,
      tls: Object.freeze({
        engine: "wolfssl",
        protocol: session.protocol,
        cipher: session.cipher,
        group: session.group,
        alpn: session.alpn,
        peerCertificate: certificate,
        resumed: session.resumed,
      }),
      onRead: key === undefined ? undefined : this.#keeper(session, key, certificate),
    });
  }

  /** Keeps the first session that the server offers; TLS 1.3 offers them after the handshake. */
  #keeper(session: Session, key: string, certificate: Uint8Array): () => void {
    let checks = 0;
    return () => {
      // Tickets come with the first data, if they come.
      if (checks++ >= MAX_TICKET_CHECKS) return;
      const bytes = session.exportSession();
      if (bytes === undefined) return;
      checks = MAX_TICKET_CHECKS;
      const kept: KeptSession = { bytes, certificate, expires: readCertificate(certificate).notAfter };
      this.#memory.sessions.keep(key, kept);
    };
  }

  /** Everything that what was verified depends on, so that a resumed session stands for the same. */
  #cacheKey(): string | undefined {
    const { serverName, verify, alpn, minVersion, maxVersion, clientCertificate } = this.#options;
    // Who the client is was told to the server in the session's own handshake: another client never resumes it.
    if (clientCertificate !== undefined) return undefined;
    const asked = [serverName, verify.chain, verify.name, alpn ?? [], minVersion ?? "", maxVersion ?? ""];
    return JSON.stringify([this.#duplex.info.remote, ...asked, this.#trust.name]);
  }
}

const MAX_TICKET_CHECKS = 3;
