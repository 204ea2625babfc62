import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { ScramClient, type ScramOptions } from "../../src/auth/scram.ts";
import { forgetScramKeys, MAX_REMEMBERED_KEYS, scramKeys } from "../../src/auth/scram_keys.ts";
import { AuthenticationError } from "../../src/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (message: Uint8Array) => new TextDecoder().decode(message);

// RFC 7677 §3.
const rfc7677 = {
  clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
  serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  clientFinal: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

const NONCE = "rOprNGfwEbeRWgbNEkqO";
const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";

/** A client that has sent its first message. */
function begun(options: Partial<ScramOptions> = {}): ScramClient {
  const client = new ScramClient({ password: "pencil", username: "user", nonce: NONCE, ...options });
  client.clientFirst();
  return client;
}

/** A client that has sent its last message. */
async function finished(): Promise<ScramClient> {
  const client = begun();
  await client.clientFinal(bytes(rfc7677.serverFirst));
  return client;
}

test("the exchange of RFC 7677 is reproduced byte by byte", async () => {
  const client = new ScramClient({ password: "pencil", username: "user", nonce: NONCE });
  assert.equal(client.mechanism, "SCRAM-SHA-256");
  assert.equal(text(client.clientFirst()), rfc7677.clientFirst);
  assert.equal(text(await client.clientFinal(bytes(rfc7677.serverFirst))), rfc7677.clientFinal);
  assert.equal(client.verified, false);
  client.verifyServerFinal(bytes(rfc7677.serverFinal));
  assert.equal(client.verified, true);
});

test("without a username, as PostgreSQL wants it, and with a fresh nonce each time", () => {
  const first = text(new ScramClient({ password: "pencil" }).clientFirst());
  const second = text(new ScramClient({ password: "pencil" }).clientFirst());
  assert.match(first, /^n,,n=,r=[A-Za-z0-9+/]{24}$/);
  assert.notEqual(first, second);
});

test("a username's commas and equals signs are escaped", () => {
  const client = new ScramClient({ password: "pencil", username: "a=b,c", nonce: "x" });
  assert.equal(text(client.clientFirst()), "n,,n=a=3Db=2Cc,r=x");
});

const bindings: [binding: ScramOptions["binding"], mechanism: string, header: string, channelBinding: string][] = [
  [undefined, "SCRAM-SHA-256", "n,,", "biws"],
  [{ kind: "none" }, "SCRAM-SHA-256", "n,,", "biws"],
  [{ kind: "supported-but-unused" }, "SCRAM-SHA-256", "y,,", "eSws"],
  [
    { kind: "tls-server-end-point", data: new Uint8Array([0, 127, 128, 255]) },
    "SCRAM-SHA-256-PLUS",
    "p=tls-server-end-point,,",
    "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAH+A/w==",
  ],
];

test("the channel binding is announced first and repeated last, with its data", async () => {
  for (const [binding, mechanism, header, channelBinding] of bindings) {
    const client = new ScramClient({ password: "pencil", nonce: NONCE, binding });
    assert.equal(client.mechanism, mechanism);
    assert.equal(text(client.clientFirst()), `${header}n=,r=${NONCE}`);
    const final = text(await client.clientFinal(bytes(rfc7677.serverFirst)));
    assert.ok(final.startsWith(`c=${channelBinding},r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=`), final);
  }
});

test("a server of our own, by the platform's hashes, accepts the proof of any password, and is accepted", async () => {
  const printableAscii = fc.string({ minLength: 1, maxLength: 100 }); // what SASLprep leaves alone
  const salt = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const property = fc.asyncProperty(
    printableAscii,
    salt,
    fc.integer({ min: 1, max: 50 }),
    async (password, salt, n) => {
      const client = new ScramClient({ password });
      const bare = text(client.clientFirst()).slice("n,,".length);
      const serverFirst = `r=${bare.slice("n=,r=".length)}server,s=${Buffer.from(salt).toString("base64")},i=${n}`;
      const final = text(await client.clientFinal(bytes(serverFirst)));
      const signature = acceptProof({ password, salt, iterations: n }, bare, serverFirst, final);
      client.verifyServerFinal(bytes(`v=${signature}`));
      assert.equal(client.verified, true);
    },
  );
  await fc.assert(property, { numRuns: 40 });
});

test("a password is prepared with SASLprep, and taken as it is where that refuses it", async () => {
  const serverFirst = bytes(rfc7677.serverFirst);
  const proofs = async (password: string) => text(await begun({ password }).clientFinal(serverFirst));
  assert.equal(await proofs("ﬁ\u00a0\u00ad1"), await proofs("fi 1"));
  assert.notEqual(await proofs("ﬁ\u0221"), await proofs("fi\u0221"));
});

const refused: [name: string, serverFirst: string | Uint8Array, code: string][] = [
  ["nothing", "", "AUTH_SCRAM_MALFORMED"],
  ["no attributes", "hello", "AUTH_SCRAM_MALFORMED"],
  ["no salt", `r=${NONCE}x,i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["no iterations", `r=${NONCE}x,s=${SALT}`, "AUTH_SCRAM_MALFORMED"],
  ["another order", `s=${SALT},r=${NONCE}x,i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["an empty nonce", `r=,s=${SALT},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["a space in the nonce", `r=${NONCE} x,s=${SALT},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["a nonce that is not ASCII", `r=${NONCE}é,s=${SALT},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["an empty salt", `r=${NONCE}x,s=,i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["a salt without padding", `r=${NONCE}x,s=${SALT.slice(0, -2)},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["a salt with white space", `r=${NONCE}x,s=W22Z aJ0=,i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["a salt in base64url", `r=${NONCE}x,s=W22-_J0=,i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["zero iterations", `r=${NONCE}x,s=${SALT},i=0`, "AUTH_SCRAM_MALFORMED"],
  ["negative iterations", `r=${NONCE}x,s=${SALT},i=-1`, "AUTH_SCRAM_MALFORMED"],
  ["fractional iterations", `r=${NONCE}x,s=${SALT},i=4096.5`, "AUTH_SCRAM_MALFORMED"],
  ["iterations in hexadecimal", `r=${NONCE}x,s=${SALT},i=0x10`, "AUTH_SCRAM_MALFORMED"],
  ["iterations with a leading zero", `r=${NONCE}x,s=${SALT},i=04096`, "AUTH_SCRAM_MALFORMED"],
  ["iterations beyond all numbers", `r=${NONCE}x,s=${SALT},i=${"9".repeat(400)}`, "AUTH_SCRAM_MALFORMED"],
  ["a mandatory extension", `m=strict,r=${NONCE}x,s=${SALT},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["a trailing comma", `r=${NONCE}x,s=${SALT},i=4096,`, "AUTH_SCRAM_MALFORMED"],
  ["garbage at the end", `r=${NONCE}x,s=${SALT},i=4096,junk`, "AUTH_SCRAM_MALFORMED"],
  ["a NUL", `r=${NONCE}x,s=${SALT},i=4096\0`, "AUTH_SCRAM_MALFORMED"],
  ["a line feed", `r=${NONCE}x,s=${SALT},i=4096\n`, "AUTH_SCRAM_MALFORMED"],
  ["a byte-order mark", `\ufeffr=${NONCE}x,s=${SALT},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["bytes that are not UTF-8", Uint8Array.of(0x72, 0x3d, 0xff), "AUTH_SCRAM_MALFORMED"],
  ["5000 bytes", `r=${NONCE}${"x".repeat(5000)},s=${SALT},i=4096`, "AUTH_SCRAM_MALFORMED"],
  ["an error in place of it", "e=other-error", "AUTH_SCRAM_MALFORMED"],
  ["another nonce", `r=x${NONCE},s=${SALT},i=4096`, "AUTH_SCRAM_NONCE"],
  ["a part of our nonce", `r=${NONCE.slice(0, -1)},s=${SALT},i=4096`, "AUTH_SCRAM_NONCE"],
  ["our nonce and nothing more", `r=${NONCE},s=${SALT},i=4096`, "AUTH_SCRAM_NONCE"],
  ["more iterations than the limit", `r=${NONCE}x,s=${SALT},i=100001`, "AUTH_SCRAM_ITERATIONS"],
  ["absurd iterations", `r=${NONCE}x,s=${SALT},i=999999999999999`, "AUTH_SCRAM_ITERATIONS"],
];

test("a server-first-message that is malformed, not for us or too demanding is refused, and ends the exchange", async () => {
  for (const [name, serverFirst, code] of refused) {
    const client = begun();
    const message = typeof serverFirst === "string" ? bytes(serverFirst) : serverFirst;
    await assert.rejects(client.clientFinal(message), { name: "AuthenticationError", code }, name);
    await assert.rejects(client.clientFinal(bytes(rfc7677.serverFirst)), { code: "AUTH_SCRAM_STATE" }, name);
  }
});

test("extensions at the end of the server's messages are ignored, as RFC 5802 says", async () => {
  const client = begun();
  await client.clientFinal(bytes(`${rfc7677.serverFirst},x=1,Y=ü`));
  // They are part of what is signed, so that the RFC's own signature does not fit any more.
  assert.throws(() => client.verifyServerFinal(bytes(`${rfc7677.serverFinal},x=1`)), {
    code: "AUTH_SCRAM_SERVER_SIGNATURE",
  });
  const other = await finished();
  other.verifyServerFinal(bytes(`${rfc7677.serverFinal},x=1`));
  assert.equal(other.verified, true);
});

const limits: [maxIterations: number | undefined, iterations: number, passes: boolean][] = [
  [undefined, 1, true],
  [5000, 5000, true],
  [5000, 5001, false],
  [0, 100_001, true],
];

test("the limit of iterations can be set, and lifted by 0", async () => {
  for (const [maxIterations, iterations, passes] of limits) {
    const answer = begun({ maxIterations }).clientFinal(bytes(`r=${NONCE}x,s=${SALT},i=${iterations}`));
    if (passes) assert.ok((await answer).length > 0);
    else await assert.rejects(answer, { code: "AUTH_SCRAM_ITERATIONS", message: /limit is 5000; raise the limit/ });
  }
});

const wrongEndings: [name: string, serverFinal: string, code: string][] = [
  ["nothing", "", "AUTH_SCRAM_MALFORMED"],
  ["an empty signature", "v=", "AUTH_SCRAM_MALFORMED"],
  ["a signature that is not base64", "v=#", "AUTH_SCRAM_MALFORMED"],
  ["a short signature", `v=${btoa("x".repeat(31))}`, "AUTH_SCRAM_MALFORMED"],
  ["a long signature", `v=${btoa("x".repeat(33))}`, "AUTH_SCRAM_MALFORMED"],
  ["garbage at the end", `${rfc7677.serverFinal},junk`, "AUTH_SCRAM_MALFORMED"],
  ["an empty error", "e=", "AUTH_SCRAM_MALFORMED"],
  ["the server-first-message again", rfc7677.serverFirst, "AUTH_SCRAM_MALFORMED"],
  ["another signature", `v=${btoa("x".repeat(32))}`, "AUTH_SCRAM_SERVER_SIGNATURE"],
  [
    "a signature with its last bit changed",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8=",
    "AUTH_SCRAM_SERVER_SIGNATURE",
  ],
  ["an error", "e=invalid-proof", "AUTH_SCRAM_SERVER_ERROR"],
];

test("a server-final-message that does not prove the server is refused, and ends the exchange", async () => {
  for (const [name, serverFinal, code] of wrongEndings) {
    const client = await finished();
    assert.throws(() => client.verifyServerFinal(bytes(serverFinal)), { name: "AuthenticationError", code }, name);
    assert.throws(() => client.verifyServerFinal(bytes(rfc7677.serverFinal)), { code: "AUTH_SCRAM_STATE" }, name);
    assert.equal(client.verified, false);
  }
});

test("the server's reason is quoted", async () => {
  const client = await finished();
  assert.throws(() => client.verifyServerFinal(bytes("e=invalid-proof")), { message: /"invalid-proof"/ });
});

test("messages out of turn are refused", async () => {
  const early = new ScramClient({ password: "pencil" });
  await assert.rejects(early.clientFinal(bytes(rfc7677.serverFirst)), { code: "AUTH_SCRAM_STATE" });
  assert.throws(() => early.verifyServerFinal(bytes(rfc7677.serverFinal)), { code: "AUTH_SCRAM_STATE" });
  assert.throws(() => begun().clientFirst(), { code: "AUTH_SCRAM_STATE" });
  assert.throws(() => begun().verifyServerFinal(bytes(rfc7677.serverFinal)), { code: "AUTH_SCRAM_STATE" });
  const deriving = begun();
  const answer = deriving.clientFinal(bytes(rfc7677.serverFirst));
  assert.throws(() => deriving.verifyServerFinal(bytes(rfc7677.serverFinal)), { code: "AUTH_SCRAM_STATE" });
  await answer;
});

test("a client without a password, or with an unprintable nonce, is refused at once", () => {
  assert.throws(() => new ScramClient({ password: "" }), { code: "AUTH_PASSWORD_MISSING" });
  for (const nonce of ["", "a,b", "a b", "é"]) {
    assert.throws(() => new ScramClient({ password: "pencil", nonce }), { code: "AUTH_SCRAM_NONCE" });
  }
});

test("no message of a server makes the client throw anything but AuthenticationError", async () => {
  const part = fc.oneof(
    fc.constantFrom(`r=${NONCE}x`, `s=${SALT}`, "i=1", "v=AAAA", "e=x", "m=1", ",", "="),
    fc.string(),
  );
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.array(part, { maxLength: 6 }).map((all) => bytes(all.join(","))),
  );
  await fc.assert(fc.asyncProperty(message, async (message) => {
    const client = begun();
    await client.clientFinal(message).then((answer) => assert.ok(answer.length > 0), isAuthenticationError);
    const last = await finished();
    assert.throws(() => last.verifyServerFinal(message), isAuthenticationError);
  }));
});

test("neither the client nor its errors show the password", async () => {
  const password = "correct horse battery staple";
  const client = begun({ password });
  assert.ok(!inspect(client, { depth: 9, showHidden: true }).includes(password));
  assert.ok(!JSON.stringify(client).includes(password));
  await assert.rejects(
    client.clientFinal(bytes("nonsense")),
    (error) => !inspect(error, { depth: 9 }).includes(password),
  );
});

test("keys are derived once per password, salt and count, and the least recently used are forgotten", async () => {
  forgetScramKeys();
  const salt = new Uint8Array([1, 2, 3]);
  const keys = await scramKeys("pencil", salt, 10);
  assert.equal(await scramKeys("pencil", new Uint8Array(salt), 10), keys);

  assert.notEqual(await scramKeys("pencils", salt, 10), keys);
  assert.notEqual(await scramKeys("pencil", salt, 11), keys);
  assert.notEqual(await scramKeys("pencil", new Uint8Array([1, 2]), 10), keys);
  // The same bytes, divided between salt and password in another place.
  assert.notEqual(await scramKeys("bc", bytes("a"), 10), await scramKeys("c", bytes("ab"), 10));

  // With the six above these are as many as are remembered.
  for (let count = 1; count <= MAX_REMEMBERED_KEYS - 6; count++) await scramKeys("other", salt, count);
  assert.equal(await scramKeys("pencil", salt, 10), keys);
  // Room for all but one, and the one used last stays.
  for (let count = 1; count < MAX_REMEMBERED_KEYS; count++) await scramKeys("another", salt, count);
  assert.equal(await scramKeys("pencil", salt, 10), keys);
  for (let count = 1; count <= MAX_REMEMBERED_KEYS; count++) await scramKeys("third", salt, count);
  assert.notEqual(await scramKeys("pencil", salt, 10), keys);

  const again = await scramKeys("pencil", salt, 10);
  assert.deepEqual(again.clientKey, keys.clientKey);
  forgetScramKeys();
  assert.notEqual(await scramKeys("pencil", salt, 10), again);
});

test("remembered keys cannot be read back and prove the password again", async () => {
  forgetScramKeys();
  const cold = text(await begun().clientFinal(bytes(rfc7677.serverFirst)));
  const warm = text(await begun().clientFinal(bytes(rfc7677.serverFirst)));
  assert.equal(cold, rfc7677.clientFinal);
  assert.equal(warm, rfc7677.clientFinal);
  const { storedKey, serverKey } = await scramKeys("pencil", new Uint8Array(Buffer.from(SALT, "base64")), 4096);
  assert.deepEqual([storedKey.extractable, serverKey.extractable], [false, false]);
});

function isAuthenticationError(error: unknown): true {
  assert.ok(error instanceof AuthenticationError, inspect(error));
  return true;
}

/** A server's half of RFC 5802 §3: checks the proof as PostgreSQL does, from StoredKey, and gives the signature. */
function acceptProof(
  secret: { password: string; salt: Uint8Array; iterations: number },
  clientFirstBare: string,
  serverFirst: string,
  clientFinal: string,
): string {
  const salted = pbkdf2Sync(secret.password, secret.salt, secret.iterations, 32, "sha256");
  const hmac = (key: Uint8Array, message: string) => createHmac("sha256", key).update(message).digest();
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  const [withoutProof, proof] = clientFinal.split(",p=");
  const authMessage = `${clientFirstBare},${serverFirst},${withoutProof}`;
  const clientSignature = hmac(storedKey, authMessage);
  const clientKey = Buffer.from(proof, "base64").map((byte, index) => byte ^ clientSignature[index]);
  assert.deepEqual(createHash("sha256").update(clientKey).digest(), storedKey);
  return hmac(hmac(salted, "Server Key"), authMessage).toString("base64");
}
