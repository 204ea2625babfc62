/**
 * Mozilla's root certificates without their signatures (TBSCertificate each, one after the other), in base64: written by
 * `deno task build:roots`. Not deflated: not every runtime can inflate, and transports compress it nearly as well.
 */
export const base64: string;
