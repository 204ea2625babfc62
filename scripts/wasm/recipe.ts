/**
 * What the WebAssembly core is made of: the pinned source, the files, the flags. Changing anything here changes the
 * binary.
 *
 * @module
 */

/** The upstream release, pinned by the hash of its tarball. Debian's `orig` tarball is the same file. */
export const SOURCE = {
  version: "5.9.2",
  url: "https://github.com/wolfSSL/wolfssl/archive/refs/tags/v5.9.2-stable.tar.gz",
  sha256: "2f4ef3d4fd387a9b3191d36a6316d69116c46ff69bb9583b6c82b36d7b8ca114",
} as const;

/** The tool chain, as pinned in deno.json and the lock file. A cached object is only used by the same versions. */
export const TOOLCHAIN = { clang: "22.0.0-git20542-10", binaryen: "132.0.0" } as const;

/** What is taken out of the tarball. */
export function isNeeded(path: string): boolean {
  if (path.startsWith("wolfssl/")) return path.endsWith(".h");
  if (path.startsWith("wolfcrypt/src/port/")) return false;
  if (path.startsWith("wolfcrypt/src/")) return /\.(c|h|i)$/.test(path);
  return /^src\/[^/]+\.c$/.test(path);
}

const TLS_FILES = ["internal", "keys", "ssl", "tls", "tls13", "wolfio"];

const CRYPTO_FILES = [
  ..."aes asn chacha chacha20_poly1305 coding cryptocb curve25519 ecc ed25519 error fe_operations".split(
    " ",
  ),
  ..."hash hmac kdf logging memory poly1305 random rsa sha sha256 sha3 sha512 signature sp_c32 sp_int".split(" "),
  ..."wc_encrypt wc_mlkem wc_mlkem_poly wc_port wolfmath".split(" "),
];

/** wolfSSL's files that are compiled. */
export const SOURCE_FILES: readonly string[] = [
  ...TLS_FILES.map((name) => `src/${name}.c`),
  ...CRYPTO_FILES.map((name) => `wolfcrypt/src/${name}.c`),
];

/**
 * Where the time of a handshake and of bulk data is spent. Unrolling at -O3 makes these faster; AES and the big numbers
 * of RSA it makes slower or no faster. Everything else is compiled for size.
 */
const LEVELS: Readonly<Record<string, readonly string[]>> = {
  "-O3": ["chacha", "poly1305", "fe_operations", "sp_c32"],
  "-Os": ["aes", "sha256", "sha512", "sha3", "sp_int", "wc_mlkem_poly"],
};

function optimisation(path: string): string {
  const isIn = (names: readonly string[]) => names.some((name) => path === `wolfcrypt/src/${name}.c`);
  return Object.keys(LEVELS).find((level) => isIn(LEVELS[level] ?? [])) ?? "-Oz";
}

/** clang's arguments for one file. */
export function compileFlags(path: string): string[] {
  return [
    "--target=wasm32-wasip1",
    optimisation(path),
    "-DNDEBUG",
    "-DWOLFSSL_USER_SETTINGS",
    "-fvisibility=hidden",
    "-ffunction-sections",
    "-fdata-sections",
    ...(path.startsWith("core/") ? ["-Wall", "-Werror"] : ["-Wno-everything"]),
    "-I.",
    "-Icore",
  ];
}

/** The initial memory; it grows as needed. */
const INITIAL_MEMORY = 1024 * 1024;
const STACK_SIZE = 128 * 1024;

export const LINK_FLAGS: readonly string[] = [
  "--target=wasm32-wasip1",
  "-mexec-model=reactor",
  "-nostartfiles",
  "-Wl,--no-entry",
  "-Wl,--gc-sections",
  "-Wl,--strip-all",
  "-Wl,--stack-first",
  `-Wl,-z,stack-size=${STACK_SIZE}`,
  `-Wl,--initial-memory=${INITIAL_MEMORY}`,
];
