/**
 * The types of the messages that the frontend sends, by their names in PostgreSQL's documentation (chapter
 * "Frontend/Backend Protocol", "Message Formats"); a StartupMessage and the requests have none.
 *
 * @module
 */

export const Bind = 0x42; // B
export const Close = 0x43; // C
export const CopyData = 0x64; // d
export const CopyDone = 0x63; // c
export const CopyFail = 0x66; // f
export const Describe = 0x44; // D
export const Execute = 0x45; // E
export const Flush = 0x48; // H
export const FunctionCall = 0x46; // F
export const Parse = 0x50; // P
/** PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share a type. */
export const Password = 0x70; // p
export const Query = 0x51; // Q
export const Sync = 0x53; // S
export const Terminate = 0x58; // X
