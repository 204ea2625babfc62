/**
 * The authentication layer alone against PostgreSQL: what it computes is what the server computes. How a session uses
 * it is tested with the session.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { after, test } from "node:test";
import tls from "node:tls";
import pg from "pg";
import { chooseBinding } from "../../src/auth/channel_binding.ts";
import { tlsServerEndPoint } from "../../src/auth/server_end_point.ts";
import { md5Password } from "../../src/auth/md5.ts";
import { ScramClient, type ScramOptions } from "../../src/auth/scram.ts";
import { scramKeys } from "../../src/auth/scram_keys.ts";
import { saslprep } from "../../src/auth/saslprep.ts";
import { type AuthenticationRequest, decodeAuthentication } from "../../src/protocol/authentication.ts";
import { Backend, ProtocolVersion } from "../../src/protocol/codes.ts";
import { FrameReader } from "../../src/protocol/frame_reader.ts";
import { passwordMessage, saslInitialResponse, saslResponse, startupMessage } from "../../src/protocol/frontend.ts";
import { MessageWriter } from "../../src/protocol/message_writer.ts";
import { decodeResponseFields } from "../../src/protocol/response_fields.ts";
import { connectionUrl, DATABASE, PASSWORDS, type UserName } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { saslprepCases } from "../fixtures/saslprep_cases.ts";

const { postgres, certificates } = await servers();
const superuser = new pg.Client({ connectionString: connectionUrl(postgres, "postgres") });
await superuser.connect();
after(() => superuser.end());

test("passwords are prepared and keys derived as the server does when it stores a password", async () => {
  await superuser.query("CREATE ROLE prepared");
  try {
    for (const [password, prepared, why] of saslprepCases) {
      if (password === "") continue; // the server stores no password then
      await superuser.query(`ALTER ROLE prepared PASSWORD ${superuser.escapeLiteral(password)}`);
      assert.equal(saslprep(password), prepared, why);
      await assertVerifies(prepared, why);
    }
  } finally {
    await superuser.query("DROP ROLE prepared");
  }
});

for (const user of ["scram_user", "scram_raw_user"] as const) {
  test(`the server accepts ${user} by SCRAM-SHA-256 and proves itself, by keys derived and by keys remembered`, async () => {
    for (let login = 0; login < 2; login++) {
      assert.equal(await logIn(user, await connectPlain(), {}), "SCRAM-SHA-256");
    }
  });
}

test("the server accepts SCRAM-SHA-256-PLUS bound to its certificate, and nothing bound to another", async () => {
  const own = await tlsServerEndPoint(der(certificates.server.cert));
  assert.equal(await logIn("scram_user", await connectTls(), { endPoint: own }), "SCRAM-SHA-256-PLUS");

  const other = await tlsServerEndPoint(der(certificates.untrusted.cert));
  await assert.rejects(logIn("scram_user", await connectTls(), { endPoint: other }), /channel binding check failed/);
});

test("the server refuses a client that claims to see no offer of channel binding where there was one", async () => {
  const binding = { kind: "supported-but-unused" } as const;
  await assert.rejects(logIn("scram_user", await connectTls(), { binding }), /channel binding negotiation error/);
});

test("the server refuses a wrong password", async () => {
  await assert.rejects(
    logIn("scram_user", await connectPlain(), { password: "wrong" }),
    /password authentication failed/,
  );
  await assert.rejects(
    logIn("md5_user", await connectPlain(), { password: "wrong" }),
    /password authentication failed/,
  );
});

test("the server accepts the answer to its request for MD5", async () => {
  assert.equal(await logIn("md5_user", await connectPlain(), {}), "md5");
});

/** Compares the keys derived from a password with those that the server stored for it. */
async function assertVerifies(password: string, why: string): Promise<void> {
  const { rows } = await superuser.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'prepared'");
  const [, iterations, salt, storedKey, serverKey] =
    /^SCRAM-SHA-256\$(\d+):(.+)\$(.+):(.+)$/.exec(rows[0].rolpassword) ??
      assert.fail(rows[0].rolpassword);
  const keys = await scramKeys(password, new Uint8Array(Buffer.from(salt, "base64")), Number(iterations));
  assert.equal(createHash("sha256").update(keys.clientKey).digest("base64"), storedKey, why);
  const message = new TextEncoder().encode("message");
  const reference = await crypto.subtle.importKey(
    "raw",
    new Uint8Array(Buffer.from(serverKey, "base64")),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  assert.deepEqual(
    await crypto.subtle.sign("HMAC", keys.serverKey, message),
    await crypto.subtle.sign("HMAC", reference, message),
    why,
  );
}

interface Login {
  readonly password?: string;
  readonly endPoint?: Uint8Array;
  /** In place of the one that follows from what the server offers. */
  readonly binding?: ScramOptions["binding"];
}

/** Logs in and gives the method that it was by; rejects with the server's message. */
async function logIn(user: UserName, socket: net.Socket, login: Login): Promise<string> {
  const password = login.password ?? PASSWORDS[user] ?? "";
  const messages = authenticationMessages(socket);
  const send = (encode: (writer: MessageWriter) => void) => {
    const writer = new MessageWriter();
    encode(writer);
    socket.write(writer.take());
  };
  let method = "none";
  let scram: ScramClient | undefined;
  send((writer) => startupMessage(writer, ProtocolVersion["3.0"], Object.entries({ user, database: DATABASE })));
  try {
    for await (const message of messages) {
      switch (message.name) {
        case "AuthenticationMD5Password":
          method = "md5";
          send((writer) => passwordMessage(writer, md5Password(user, password, message.salt)));
          break;
        case "AuthenticationSASL": {
          const encrypted = socket instanceof tls.TLSSocket;
          const choice = { offered: message.mechanisms, channelBinding: "prefer", encrypted } as const;
          const binding = login.binding ?? chooseBinding({ ...choice, endPoint: login.endPoint });
          const client = scram = new ScramClient({ password, binding });
          method = client.mechanism;
          send((writer) => saslInitialResponse(writer, client.mechanism, client.clientFirst()));
          break;
        }
        case "AuthenticationSASLContinue": {
          const response = await scram?.clientFinal(message.data) ?? assert.fail("SASLContinue without SASL");
          send((writer) => saslResponse(writer, response));
          break;
        }
        case "AuthenticationSASLFinal":
          scram?.verifyServerFinal(message.data);
          break;
        case "AuthenticationOk":
          assert.equal(scram?.verified ?? true, true);
          return method;
        default:
          assert.fail(message.name);
      }
    }
    return assert.fail("the server ended the connection");
  } finally {
    socket.destroy();
  }
}

/** What the server asks and tells while it authenticates; throws what it reports. */
async function* authenticationMessages(socket: net.Socket): AsyncGenerator<AuthenticationRequest> {
  const frames = new FrameReader();
  for await (const chunk of socket) {
    frames.push(chunk);
    for (let type = frames.next(); type !== 0; type = frames.next()) {
      const { bytes, start, end } = frames;
      if (type === Backend.ErrorResponse) throw new Error(decodeResponseFields(bytes, start, end).message);
      if (type === Backend.Authentication) yield decodeAuthentication(bytes, start, end);
    }
  }
}

async function connectPlain(): Promise<net.Socket> {
  const socket = net.connect(postgres.port, postgres.host);
  await once(socket, "connect");
  return socket;
}

/** TLS at once, as PostgreSQL 17 and later take it. */
async function connectTls(): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    host: postgres.host,
    port: postgres.port,
    servername: "localhost",
    ca: certificates.ca.cert,
    ALPNProtocols: ["postgresql"],
  });
  await once(socket, "secureConnect");
  return socket;
}

/** The first certificate of a PEM text. */
function der(pem: string): Uint8Array {
  const base64 = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(pem)?.[1] ?? assert.fail("no certificate");
  return new Uint8Array(Buffer.from(base64, "base64"));
}
