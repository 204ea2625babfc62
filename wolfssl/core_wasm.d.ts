/** The core's binary, deflated (RFC 1951) and in base64: written by `deno task build:wasm`. */
export const deflatedBase64: string;
