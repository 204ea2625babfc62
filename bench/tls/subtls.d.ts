// What is used of npm subtls. Its own declarations bring another version of Node's types.

export class LazyReadFunctionReadQueue {
  constructor(readFn: () => Promise<Uint8Array | undefined>);
  read(bytes: number): Promise<Uint8Array | undefined>;
}

export function startTls(
  host: string,
  rootCertsPem: string,
  networkRead: (bytes: number) => Promise<Uint8Array | undefined>,
  networkWrite: (data: Uint8Array) => void,
): Promise<{
  readonly read: () => Promise<Uint8Array | undefined>;
  readonly write: (data: Uint8Array) => Promise<void>;
}>;
