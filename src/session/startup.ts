/**
 * From an open (and, where asked for, secured) Duplex to the first ReadyForQuery: the startup as a state machine.
 *
 * @see PostgreSQL documentation, "Message Flow", "Start-up"
 * @module
 */

import { chooseBinding } from "../auth/channel_binding.ts";
import { assertCleartextAllowed, assertMethodAllowed, assertPasswordGiven } from "../auth/policy.ts";
import { ScramClient } from "../auth/scram.ts";
import type { AuthMethod, ConnectionOptions } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { AuthenticationError, DatabaseError, type DriverError, ProtocolError } from "../errors.ts";
import { type AuthenticationRequest, decodeAuthentication } from "../protocol/authentication.ts";
import { decodeBackendKeyData, decodeNegotiateProtocolVersion, decodeReadyForQuery } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import { ProtocolVersion } from "../protocol/codes.ts";
import { FrameReader, MAX_MESSAGE_LENGTH } from "../protocol/frame_reader.ts";
import { passwordMessage, saslInitialResponse, saslResponse, startupMessage } from "../protocol/frontend.ts";
import { MessageWriter } from "../protocol/message_writer.ts";
import { decodeResponseFields } from "../protocol/response_fields.ts";
import type { TlsInfo } from "../tls/engine.ts";
import type { ConnectState } from "./connect_state.ts";
import { peerEnded } from "./failures.ts";
import { passwordFromFile } from "./password.ts";
import { guessBinding, guessMayBeToBlame, GuessRefused } from "./guess.ts";
import { Session } from "./session.ts";
import type { SessionOptions } from "./session_options.ts";

/** How far the authentication is. */
type AuthState =
  | { readonly at: "unasked" }
  | { readonly at: "guessed"; readonly scram: ScramClient }
  | { readonly at: "scram first sent"; readonly scram: ScramClient }
  | { readonly at: "scram final sent"; readonly scram: ScramClient }
  | { readonly at: "password sent"; readonly method: AuthMethod }
  | { readonly at: "token sent" }
  | { readonly at: "token refused"; readonly error: AuthenticationError }
  | { readonly at: "authenticated"; readonly method: AuthMethod };

const MECHANISM = { "scram-sha-256": "SCRAM-SHA-256", "scram-sha-256-plus": "SCRAM-SHA-256-PLUS" } as const;

const ENDED_EARLY = "The server closed the connection before it was ready: see its log.";

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
  readonly session: Pick<SessionOptions, "events" | "idleTimeoutMillis" | "requestCancel">;
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

class Startup {
  readonly #input: StartupInput;
  readonly #frames = new FrameReader();
  readonly #writer = new MessageWriter();
  readonly #session: Session;
  #endPoint: Uint8Array | undefined;
  #auth: AuthState = { at: "unasked" };
  #announced = false;

  constructor(input: StartupInput) {
    this.#input = input;
    this.#session = new Session({
      ...input.session,
      duplex: input.duplex,
      frames: this.#frames,
      writer: this.#writer,
      place: { ...input.state.place, phase: undefined },
    });
  }

  async run(): Promise<StartedSession> {
    const { state } = this.#input;
    try {
      this.#endPoint = await this.#certificateHash();
      state.phase = "startup";
      this.#writeStartup();
      await this.#send();
      state.phase = "authentication";
      await this.#readUntilReady();
      state.timings.ready = state.elapsed();
      if (this.#auth.at !== "authenticated") throw this.#unexpected("ReadyForQuery");
      return { session: this.#session, method: this.#auth.method };
    } catch (cause) {
      if (
        cause instanceof GuessRefused ||
        (this.#auth.at === "guessed" && guessMayBeToBlame(cause) && !state.signal.aborted)
      ) {
        this.#input.duplex.close("the server wants another authentication than the one guessed");
        throw cause instanceof GuessRefused ? cause : new GuessRefused(undefined);
      }
      const error = state.located(cause);
      this.#session.destroy(error);
      throw error;
    }
  }

  /** What channel binding hashes; a certificate without a hash is no hindrance unless binding is required. */
  async #certificateHash(): Promise<Uint8Array | undefined> {
    const { tls, options } = this.#input;
    if (tls?.peerCertificate === undefined || options.channelBinding === "disable") return undefined;
    const { tlsServerEndPoint } = await import("../auth/server_end_point.ts");
    try {
      return await tlsServerEndPoint(tls.peerCertificate);
    } catch (error) {
      if (options.channelBinding === "require") throw error;
      return undefined;
    }
  }

  #writeStartup(): void {
    const { options, password, remembered, mayGuess } = this.#input;
    startupMessage(this.#writer, ProtocolVersion[options.maxProtocolVersion], [
      ["user", options.user],
      ["database", options.database],
      ...Object.entries(options.startupParameters),
    ]);
    if (!mayGuess) return;
    const binding = guessBinding({ options, password, endPoint: this.#endPoint, remembered });
    if (binding === undefined || password === undefined) return;
    const scram = new ScramClient({ password, binding, maxIterations: options.scramMaxIterations });
    saslInitialResponse(this.#writer, scram.mechanism, scram.clientFirst());
    this.#auth = { at: "guessed", scram };
  }

  #send(): Promise<void> {
    return this.#input.duplex.write(this.#writer.take());
  }

  async #readUntilReady(): Promise<void> {
    const { duplex } = this.#input;
    for (;;) {
      for (let type = this.#frames.next(); type !== 0; type = this.#frames.next()) {
        if (await this.#take(type)) return;
      }
      const chunk = await duplex.read();
      if (chunk === null) throw this.#refused(peerEnded({}, ENDED_EARLY));
      this.#frames.push(chunk);
    }
  }

  /** Takes one message; true once the server is ready. */
  async #take(type: number): Promise<boolean> {
    const { bytes, start, end } = this.#frames;
    const session = this.#session;
    switch (type) {
      case Backend.Authentication:
        await this.#authentication(decodeAuthentication(bytes, start, end));
        return false;
      case Backend.ErrorResponse:
        throw this.#refused(
          new DatabaseError(decodeResponseFields(bytes, start, end), {
            ...this.#input.state.place,
            length: end - start + 4,
          }),
        );
      case Backend.NoticeResponse:
        this.#input.session.events.notice?.(decodeResponseFields(bytes, start, end), end - start + 4);
        return false;
      case Backend.NegotiateProtocolVersion:
        this.#negotiateVersion(decodeNegotiateProtocolVersion(bytes, start, end).version);
        return false;
    }
    if (this.#auth.at !== "authenticated") throw this.#unexpected(String.fromCharCode(type));
    switch (type) {
      case Backend.ParameterStatus:
        session.parameterStatus();
        return false;
      case Backend.BackendKeyData: {
        const { processId, secretKey } = decodeBackendKeyData(bytes, start, end);
        session.processId = processId;
        session.secretKey = secretKey;
        return false;
      }
      case Backend.ReadyForQuery:
        session.transactionStatus = decodeReadyForQuery(bytes, start, end);
        return true;
    }
    throw this.#unexpected(String.fromCharCode(type));
  }

  async #authentication(request: AuthenticationRequest): Promise<void> {
    this.#input.session.events.authentication?.(request.name);
    switch (request.name) {
      case "AuthenticationOk":
        return this.#accepted();
      case "AuthenticationSASL":
        return await this.#sasl(request.mechanisms);
      case "AuthenticationSASLContinue":
        return await this.#saslContinue(request.data);
      case "AuthenticationSASLFinal":
        if (this.#auth.at !== "scram final sent") throw this.#unexpected(request.name);
        return this.#auth.scram.verifyServerFinal(request.data);
      case "AuthenticationCleartextPassword":
        return await this.#password("password", (password) => {
          assertCleartextAllowed(this.#input.duplex.info, this.#input.options.allowCleartextPassword);
          return password;
        });
      case "AuthenticationMD5Password": {
        const { md5Password } = await import("../auth/md5.ts");
        const { user } = this.#input.options;
        return await this.#password("md5", (password) => md5Password(user, password, request.salt));
      }
      default:
        throw new AuthenticationError(
          "AUTH_METHOD_UNSUPPORTED",
          `the server asks for ${request.name.slice("Authentication".length)}, which pgduplex does not speak: ` +
            "let pg_hba.conf ask for scram-sha-256",
        );
    }
  }

  #accepted(): void {
    const { options, state } = this.#input;
    const auth = this.#auth;
    if (auth.at === "guessed") throw new GuessRefused("none");
    let method: AuthMethod = "none";
    if (auth.at === "scram final sent") {
      if (!auth.scram.verified) {
        throw new AuthenticationError("AUTH_SCRAM_UNPROVEN", "the server did not prove that it knows the password");
      }
      method = auth.scram.mechanism === "SCRAM-SHA-256-PLUS" ? "scram-sha-256-plus" : "scram-sha-256";
    } else if (auth.at === "password sent") method = auth.method;
    else if (auth.at === "token sent") method = "oauth";
    else if (auth.at !== "unasked") throw this.#unexpected("AuthenticationOk");
    assertMethodAllowed(method, options.requireAuth);
    if (options.channelBinding === "require" && method !== "scram-sha-256-plus") {
      throw new AuthenticationError(
        "AUTH_CHANNEL_BINDING_REQUIRED",
        "channel_binding=require, but the server let the client in without it",
      );
    }
    this.#auth = { at: "authenticated", method };
    this.#frames.maxLength = MAX_MESSAGE_LENGTH;
    state.phase = "startup";
    state.timings.authenticated = state.elapsed();
  }

  async #sasl(mechanisms: readonly string[]): Promise<void> {
    const { options, tls } = this.#input;
    const auth = this.#auth;
    if (auth.at !== "unasked" && auth.at !== "guessed") throw this.#unexpected("AuthenticationSASL");
    if (mechanisms.includes("OAUTHBEARER") && options.oauthBearerToken !== undefined) return await this.#token();
    const binding = chooseBinding({
      offered: mechanisms,
      channelBinding: options.channelBinding,
      encrypted: tls !== undefined,
      endPoint: this.#endPoint,
    });
    const method = binding.kind === "tls-server-end-point" ? "scram-sha-256-plus" : "scram-sha-256";
    if (auth.at === "guessed") {
      if (auth.scram.mechanism !== MECHANISM[method]) throw new GuessRefused(method);
      this.#auth = { at: "scram first sent", scram: auth.scram };
      return;
    }
    assertMethodAllowed(method, options.requireAuth);
    const password = await this.#givenPassword();
    assertPasswordGiven(password, method);
    const scram = new ScramClient({ password, binding, maxIterations: options.scramMaxIterations });
    saslInitialResponse(this.#writer, scram.mechanism, scram.clientFirst());
    this.#auth = { at: "scram first sent", scram };
    await this.#send();
  }

  async #saslContinue(data: Uint8Array): Promise<void> {
    if (this.#auth.at === "token sent") return await this.#tokenRefused(data);
    if (this.#auth.at !== "scram first sent") throw this.#unexpected("AuthenticationSASLContinue");
    const { scram } = this.#auth;
    saslResponse(this.#writer, await scram.clientFinal(data));
    this.#auth = { at: "scram final sent", scram };
    // Where the client insists on binding, the server shows itself before it hears anything more.
    if (this.#input.options.channelBinding !== "require") this.#announce();
    await this.#send();
  }

  async #token(): Promise<void> {
    const { options, duplex, state } = this.#input;
    const { answerWithToken } = await import("./oauth.ts");
    saslInitialResponse(this.#writer, "OAUTHBEARER", await answerWithToken(options, duplex.info, state.signal));
    this.#auth = { at: "token sent" };
    this.#announce();
    await this.#send();
  }

  /** The server says why it refuses, and with an error of its own, which ends the connection, that it does. */
  async #tokenRefused(json: Uint8Array): Promise<void> {
    const { OAUTH_RESIGNED, oauthRefused } = await import("./oauth.ts");
    this.#auth = { at: "token refused", error: oauthRefused(json) };
    saslResponse(this.#writer, OAUTH_RESIGNED);
    await this.#send();
  }

  /** Of a refused token the server's error says less than we know. */
  #refused(cause: DriverError): DriverError {
    const auth = this.#auth;
    if (auth.at !== "token refused") return cause;
    Object.defineProperty(auth.error, "cause", { value: cause, configurable: true, writable: true });
    return auth.error;
  }

  async #password(method: AuthMethod, answer: (password: string) => string): Promise<void> {
    if (this.#auth.at === "guessed") throw new GuessRefused(method);
    if (this.#auth.at !== "unasked") throw this.#unexpected(`a request for a ${method}`);
    const { options } = this.#input;
    assertMethodAllowed(method, options.requireAuth);
    if (options.channelBinding === "require") {
      throw new AuthenticationError(
        "AUTH_CHANNEL_BINDING_REQUIRED",
        `channel_binding=require, but the server asks for ${method} authentication`,
      );
    }
    const password = await this.#givenPassword();
    assertPasswordGiven(password);
    passwordMessage(this.#writer, answer(password));
    this.#auth = { at: "password sent", method };
    this.#announce();
    await this.#send();
  }

  async #givenPassword(): Promise<string | undefined> {
    return this.#input.password ?? await passwordFromFile(this.#input.options);
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#input.onLastMessage(this.#session);
  }

  #negotiateVersion(version: number): void {
    const { minProtocolVersion } = this.#input.options;
    if (version >= ProtocolVersion[minProtocolVersion]) return;
    throw new ProtocolError(
      "PROTOCOL_VERSION",
      `the server speaks protocol ${version >>> 16}.${
        version & 0xffff
      } at most, and minProtocolVersion is ${minProtocolVersion}`,
    );
  }

  #unexpected(what: string): ProtocolError {
    return new ProtocolError(
      "PROTOCOL_UNEXPECTED_MESSAGE",
      `the server sent ${JSON.stringify(what)} out of turn (authentication is at: ${this.#auth.at})`,
    );
  }
}
