/**
 * The protocol's message types and request codes, by the names that PostgreSQL's documentation uses
 * (chapter "Frontend/Backend Protocol", "Message Formats").
 *
 * @module
 */

const code = (letter: string): number => letter.charCodeAt(0);

/** Message types that the backend sends. */
export const Backend = {
  Authentication: code("R"),
  BackendKeyData: code("K"),
  BindComplete: code("2"),
  CloseComplete: code("3"),
  CommandComplete: code("C"),
  CopyBothResponse: code("W"),
  CopyData: code("d"),
  CopyDone: code("c"),
  CopyInResponse: code("G"),
  CopyOutResponse: code("H"),
  DataRow: code("D"),
  EmptyQueryResponse: code("I"),
  ErrorResponse: code("E"),
  FunctionCallResponse: code("V"),
  NegotiateProtocolVersion: code("v"),
  NoData: code("n"),
  NoticeResponse: code("N"),
  NotificationResponse: code("A"),
  ParameterDescription: code("t"),
  ParameterStatus: code("S"),
  ParseComplete: code("1"),
  PortalSuspended: code("s"),
  ReadyForQuery: code("Z"),
  RowDescription: code("T"),
} as const;

/** Message types that the frontend sends; a StartupMessage and the requests below have none. */
export const Frontend = {
  Bind: code("B"),
  Close: code("C"),
  CopyData: code("d"),
  CopyDone: code("c"),
  CopyFail: code("f"),
  Describe: code("D"),
  Execute: code("E"),
  Flush: code("H"),
  FunctionCall: code("F"),
  Parse: code("P"),
  /** PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share a type. */
  Password: code("p"),
  Query: code("Q"),
  Sync: code("S"),
  Terminate: code("X"),
} as const;

/** What stands where a StartupMessage has its protocol version. */
export const RequestCode = {
  Cancel: 80877102,
  Ssl: 80877103,
  GssEncryption: 80877104,
} as const;

/** Protocol versions as a StartupMessage carries them: major in the high half, minor in the low. */
export const ProtocolVersion = { "3.0": 0x0003_0000, "3.2": 0x0003_0002 } as const;

/** Codes of an Authentication message. */
export const AuthenticationCode = {
  Ok: 0,
  KerberosV5: 2,
  CleartextPassword: 3,
  Md5Password: 5,
  Gss: 7,
  GssContinue: 8,
  Sspi: 9,
  Sasl: 10,
  SaslContinue: 11,
  SaslFinal: 12,
} as const;

/** ReadyForQuery's transaction status. */
export type TransactionStatus = "I" | "T" | "E";
