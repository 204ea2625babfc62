/**
 * From an open (and, where asked for, secured) Duplex to the first ReadyForQuery.
 *
 * @see PostgreSQL documentation, "Message Flow", "Start-up"
 * @module
 */

import { chooseBinding } from "../auth/channel_binding.ts";
import { assertMethodAllowed } from "../auth/policy.ts";
import { mechanismOf, ScramClient } from "../auth/scram.ts";
import type { ScramBinding } from "../auth/scram.ts";
import type { AuthMethod, ConnectionOptions } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { unlessAborted } from "../duplex/waiting.ts";
import { AuthenticationError, DatabaseError, ProtocolError } from "../errors.ts";
import { loadPart } from "../part.ts";
import { type AuthenticationRequest, decodeAuthentication } from "../protocol/authentication.ts";
import { decodeBackendKeyData, decodeNegotiateProtocolVersion, decodeReadyForQuery } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import { ProtocolVersion } from "../protocol/codes.ts";
import { FrameReader, MAX_MESSAGE_LENGTH } from "../protocol/frame_reader.ts";
import { saslInitialResponse, saslResponse, startupMessage } from "../protocol/frontend.ts";
import { MessageWriter } from "../protocol/message_writer.ts";
import { decodeResponseFields } from "../protocol/response_fields.ts";
import type { TlsInfo } from "../tls/engine.ts";
import type { ConnectState } from "./connect_state.ts";
import { peerEnded, unexpectedMessage } from "./failures.ts";
import { passwordFromFile } from "./password_file.ts";
import { guessBinding, guessMayBeToBlame, GuessRefused } from "./guess.ts";
import { Session } from "./session.ts";
import type { SessionOptions } from "./session_options.ts";

/** What a startup needs beyond the options. */
export interface StartupInput {
  readonly duplex: Duplex;
  readonly tls: TlsInfo | undefined;
  readonly options: ConnectionOptions;
  readonly state: ConnectState;
  readonly password: string | undefined;
  /** How this server authenticated us last, where that is known. */
  readonly remembered: AuthMethod | undefined;
  /** False on the repetition after a guess was refused. */
  readonly mayGuess: boolean;
  readonly session: Pick<SessionOptions, "events" | "idleTimeoutMillis" | "kept" | "requestCancel">;
  /**
   * Called once our last authentication message is written but not yet sent: what is submitted to the session now
   * leaves in the same write.
   */
  readonly onLastMessage: (session: Session) => void;
}

/** A session, and how the server authenticated us. */
export interface StartedSession {
  readonly session: Session;
  readonly method: AuthMethod;
}

/** @throws {GuessRefused} and every error of authentication and startup */
export function startSession(input: StartupInput): Promise<StartedSession> {
  return new Startup(input).run();
}

/** One startup, and what a method of authentication has to do its part by. */
export class Startup {
  readonly input: StartupInput;
  readonly writer: MessageWriter = new MessageWriter();
  readonly #frames = new FrameReader();
  readonly #session: Session;
  #endPoint: Uint8Array | undefined;
  /** The exchange that was begun unasked, until the server has agreed to it. */
  #guess: ScramClient | undefined;

  constructor(input: StartupInput) {
    this.input = input;
    this.#session = new Session({
      ...input.session,
      duplex: input.duplex,
      frames: this.#frames,
      writer: this.writer,
      place: { ...input.state.place, phase: undefined },
    });
  }

  async run(): Promise<StartedSession> {
    const { duplex, state } = this.input;
    try {
      // What has to be loaded for it may never come, and closing the Duplex does not end the wait for it.
      return await unlessAborted(this.#start(), state.signal, () => {});
    } catch (cause) {
      const refused = cause instanceof GuessRefused;
      if (refused || (this.#guess !== undefined && guessMayBeToBlame(cause) && !state.signal.aborted)) {
        const refusal = refused ? cause : new GuessRefused(undefined);
        duplex.close(refusal.message);
        throw refusal;
      }
      const error = state.located(cause);
      this.#session.destroy(error);
      throw error;
    }
  }

  async #start(): Promise<StartedSession> {
    const { state } = this.input;
    this.#endPoint = await this.#certificateHash();
    state.phase = "startup";
    this.#writeStartup();
    await this.send();
    state.phase = "authentication";
    const method = await this.#authenticate();
    this.#frames.maxLength = MAX_MESSAGE_LENGTH;
    state.phase = "startup";
    state.timings.authenticated = state.elapsed();
    await this.#untilReady();
    state.timings.ready = state.elapsed();
    return { session: this.#session, method };
  }

  /** Sends what was written. */
  send(): Promise<void> {
    return this.input.duplex.write(this.writer.take());
  }

  /** Sends what was written, which is the last that the server has to hear, and what is submitted meanwhile. */
  sendLast(): Promise<void> {
    // Once it was given up nobody waits for it.
    if (!this.input.state.signal.aborted) this.input.onLastMessage(this.#session);
    return this.send();
  }

  /** What the server asks, or tells, next. */
  async request(): Promise<AuthenticationRequest> {
    const type = await this.#next();
    if (type !== Backend.Authentication) throw unexpectedMessage(type);
    return this.#request();
  }

  #request(): AuthenticationRequest {
    const { bytes, start, end } = this.#frames;
    const request = decodeAuthentication(bytes, start, end);
    this.input.session.events.authentication?.(request.name);
    return request;
  }

  /** The request of this name, which has to be the next. */
  async expect<Name extends AuthenticationRequest["name"]>(
    name: Name,
  ): Promise<Extract<AuthenticationRequest, { readonly name: Name }>> {
    const request = await this.request();
    if (request.name !== name) throw unexpectedMessage(request.name);
    return request as Extract<AuthenticationRequest, { readonly name: Name }>;
  }

  /** The password that was said, or that a password file has. */
  async password(): Promise<string | undefined> {
    return this.input.password ?? await passwordFromFile(this.input.options);
  }

  /** Gives up the guess, where there is one: the server wants another method. */
  refuseGuess(method: AuthMethod): void {
    if (this.#guess !== undefined) throw new GuessRefused(method);
  }

  /** What channel binding hashes; a certificate without a hash is no hindrance unless binding is required. */
  async #certificateHash(): Promise<Uint8Array | undefined> {
    const { tls, options } = this.input;
    if (tls?.peerCertificate === undefined || options.channelBinding === "disable") return undefined;
    const { tlsServerEndPoint } = await loadPart(async () => await import("../auth/server_end_point.ts"));
    try {
      return await tlsServerEndPoint(tls.peerCertificate);
    } catch (error) {
      if (options.channelBinding === "require") throw error;
      return undefined;
    }
  }

  #writeStartup(): void {
    const { options, password, remembered, mayGuess } = this.input;
    startupMessage(this.writer, ProtocolVersion[options.maxProtocolVersion], [
      ["user", options.user],
      ["database", options.database],
      ...Object.entries(options.startupParameters),
    ]);
    if (!mayGuess) return;
    const binding = guessBinding({ options, password, endPoint: this.#endPoint, remembered });
    if (binding !== undefined) this.#guess = this.#beginScram(password, binding);
  }

  #beginScram(password: string | undefined, binding: ScramBinding): ScramClient {
    const scram = new ScramClient({ password, binding, maxIterations: this.input.options.scramMaxIterations });
    saslInitialResponse(this.writer, scram.mechanism, scram.clientFirst());
    return scram;
  }

  /** Up to AuthenticationOk; resolves with the method by which. */
  async #authenticate(): Promise<AuthMethod> {
    const { requireAuth, channelBinding } = this.input.options;
    const method = await this.#answer(await this.request());
    assertMethodAllowed(method, requireAuth);
    if (channelBinding === "require" && method !== "scram-sha-256-plus") {
      throw new AuthenticationError(
        "AUTH_CHANNEL_BINDING_REQUIRED",
        "channel_binding=require, but the server let the client in without it",
      );
    }
    return method;
  }

  async #answer(request: AuthenticationRequest): Promise<AuthMethod> {
    if (request.name === "AuthenticationOk") {
      this.refuseGuess("none");
      return "none";
    }
    const sasl = request.name === "AuthenticationSASL";
    const token = this.input.options.oauthBearerToken !== undefined;
    if (sasl && !(token && request.mechanisms.includes("OAUTHBEARER"))) return await this.#scram(request.mechanisms);
    const { answerOtherwise } = await loadPart(async () => await import("./other_methods.ts"));
    return await answerOtherwise(this, request);
  }

  async #scram(offered: readonly string[]): Promise<AuthMethod> {
    const { options: { channelBinding, requireAuth }, tls } = this.input;
    const binding = chooseBinding({ offered, channelBinding, encrypted: tls !== undefined, endPoint: this.#endPoint });
    const mechanism = mechanismOf(binding);
    const method = mechanism.toLowerCase() as Lowercase<typeof mechanism>;
    let scram = this.#guess;
    if (scram === undefined) {
      assertMethodAllowed(method, requireAuth);
      scram = this.#beginScram(await this.password(), binding);
      await this.send();
    } else if (scram.mechanism !== mechanism) throw new GuessRefused(method);
    this.#guess = undefined;

    const { data } = await this.expect("AuthenticationSASLContinue");
    saslResponse(this.writer, await scram.clientFinal(data));
    // Where the client insists on binding, the server shows itself before it hears anything more.
    await (channelBinding === "require" ? this.send() : this.sendLast());
    const final = await this.request();
    if (final.name === "AuthenticationOk") {
      throw new AuthenticationError("AUTH_SCRAM_UNPROVEN", "the server did not prove that it knows the password");
    }
    if (final.name !== "AuthenticationSASLFinal") throw unexpectedMessage(final.name);
    scram.verifyServerFinal(final.data);
    await this.expect("AuthenticationOk");
    return method;
  }

  async #untilReady(): Promise<void> {
    const session = this.#session;
    const frames = this.#frames;
    for (;;) {
      const type = await this.#next();
      const { bytes, start, end } = frames;
      switch (type) {
        case Backend.ParameterStatus:
          session.parameterStatus();
          break;
        case Backend.BackendKeyData:
          ({ processId: session.processId, secretKey: session.secretKey } = decodeBackendKeyData(bytes, start, end));
          break;
        case Backend.ReadyForQuery:
          session.transactionStatus = decodeReadyForQuery(bytes, start, end);
          return;
        case Backend.Authentication:
          throw unexpectedMessage(this.#request().name);
        default:
          throw unexpectedMessage(type);
      }
    }
  }

  /** The type of the next message, at which the frames then stand. What may come at any time is seen to. */
  async #next(): Promise<number> {
    const { duplex, state, options, session } = this.input;
    for (;;) {
      const type = this.#frames.next();
      const { bytes, start, end } = this.#frames;
      switch (type) {
        case 0: {
          const chunk = await duplex.read();
          if (chunk === null) throw peerEnded(" before it was ready");
          this.#frames.push(chunk);
          break;
        }
        case Backend.ErrorResponse:
          throw new DatabaseError(decodeResponseFields(bytes, start, end), { ...state.place, length: end - start + 4 });
        case Backend.NoticeResponse:
          session.events.notice?.(decodeResponseFields(bytes, start, end), end - start + 4);
          break;
        case Backend.NegotiateProtocolVersion:
          assertVersion(decodeNegotiateProtocolVersion(bytes, start, end).version, options);
          break;
        default:
          return type;
      }
    }
  }
}

function assertVersion(version: number, { minProtocolVersion }: ConnectionOptions): void {
  if (version >= ProtocolVersion[minProtocolVersion]) return;
  const spoken = `${version >>> 16}.${version & 0xffff}`;
  throw new ProtocolError(
    "PROTOCOL_VERSION",
    `the server speaks protocol ${spoken} at most, and minProtocolVersion is ${minProtocolVersion}`,
  );
}
