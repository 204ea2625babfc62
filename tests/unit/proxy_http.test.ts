import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, decide, serializeAnswer } from "../../src/proxy/http.ts";
import { createOriginPolicy } from "../../src/proxy/origin.ts";
import { createPolicy } from "../../src/proxy/policy.ts";

const policy = createPolicy({ allow: ["db.example.com:5432", "*.pool.example.com:*"] });
const origins = createOriginPolicy({ allowOrigins: ["https://app.example.com"] });
const idle = { policy, origins, full: false, crowded: false, draining: false };
const upgrade: Record<string, string> = {
  connection: "keep-alive, Upgrade",
  upgrade: "WebSocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function request(url: string, headers: Record<string, string> = upgrade, method = "GET") {
  return { method, url, header: (name: string) => headers[name] };
}

const BAD_WISH = "pgduplex.v1.first.*, pgduplex.v1";

test("a request is answered with the status and the reason that fit", () => {
  const db = "/v1?address=db.example.com:5432";
  const cases: [name: string, ReturnType<typeof request>, status: number, body: RegExp][] = [
    ["health", request("/healthz", {}), 200, /^ok$/],
    ["health by HEAD", request("/healthz", {}, "HEAD"), 200, /^ok$/],
    ["health with a query", request("/healthz?x", {}), 200, /^ok$/],
    ["health by POST", request("/healthz", {}, "POST"), 405, /GET and HEAD/],
    ["no path", request("/"), 404, /\/v1\?address=host:port/],
    ["a path below", request("/v1/"), 404, /\/v1/],
    ["a path beside", request("/v2?address=db.example.com:5432"), 404, /\/v1/],
    ["an absolute URL", request("http://evil/v1?address=db.example.com:5432"), 404, /\/v1/],
    ["POST", request(db, upgrade, "POST"), 405, /GET only/],
    ["no upgrade", request(db, {}), 426, /WebSockets only/],
    ["another upgrade", request(db, { ...upgrade, upgrade: "h2c" }), 426, /WebSockets only/],
    ["no Connection: upgrade", request(db, { ...upgrade, connection: "close" }), 426, /WebSockets only/],
    ["an old version", request(db, { ...upgrade, "sec-websocket-version": "8" }), 426, /version 13/],
    ["a bad key", request(db, { ...upgrade, "sec-websocket-key": "x" }), 400, /Sec-WebSocket-Key/],
    ["no address", request("/v1"), 400, /expected one address/],
    ["two addresses", request(`${db}&address=evil:1`), 400, /expected one address/],
    ["an empty address", request("/v1?address="), 400, /malformed/],
    ["a plus for a blank", request("/v1?address=db+:5432"), 400, /malformed/],
    ["userinfo", request("/v1?address=db.example.com:5432@evil:5432"), 400, /malformed/],
    ["an encoded NUL", request("/v1?address=db.example.com%00:5432"), 400, /malformed/],
    ["a decimal IP", request("/v1?address=2130706433:5432"), 400, /four decimal numbers/],
    ["another page", request(db, { ...upgrade, origin: "https://evil.com" }), 403, /pages of https:\/\/evil\.com/],
    ["a wish without reason", request(db, { ...upgrade, "sec-websocket-protocol": BAD_WISH }), 400, /base64url/],
    ["not allowed", request("/v1?address=evil.com:5432"), 403, /evil\.com:5432 is not in the proxy's allow-list/],
    ["the wrong port", request("/v1?address=db.example.com:22"), 403, /allow-list/],
  ];
  for (const [name, head, status, body] of cases) {
    const decision = decide(head, idle);
    assert.ok(decision.kind === "answer", name);
    assert.equal(decision.answer.status, status, name);
    assert.match(decision.answer.body, /^[^\r\n]+\n$/, name);
    assert.match(decision.answer.body.trim(), body, name);
    assert.match(decision.answer.headers.connection, /close$/, name);
  }
});

test("an allowed address is relayed, whatever its spelling", () => {
  for (const address of ["db.example.com:5432", "DB.EXAMPLE.COM.:5432", "db.example.com%3A5432"]) {
    const decision = decide(request(`/v1?address=${address}&ignored=1`), idle);
    assert.ok(decision.kind === "relay", address);
    assert.equal(decision.target.text, "db.example.com:5432");
    assert.equal(decision.reach, "any");
    assert.equal(decision.opening, undefined);
  }
});

test("a page that may connect is relayed, with what it wishes", () => {
  const headers = {
    ...upgrade,
    origin: "https://app.example.com",
    "sec-websocket-protocol": "pgduplex.v1.sslrequest, pgduplex.v1",
  };
  const decision = decide(request("/v1?address=db.example.com:5432", headers), idle);
  assert.ok(decision.kind === "relay");
  assert.deepEqual(decision.opening, { sslRequest: true, first: undefined });
});

test("a proxy that is full or shuts down says so, but not to those that it refuses anyway", () => {
  const states = [
    [{ ...idle, full: true }, 503],
    [{ ...idle, draining: true }, 503],
    [{ ...idle, crowded: true, full: true }, 429],
  ] as const;
  for (const [state, status] of states) {
    const allowed = decide(request("/v1?address=db.example.com:5432"), state);
    assert.ok(allowed.kind === "answer");
    assert.equal(allowed.answer.status, status);
    assert.ok(allowed.answer.headers["retry-after"]);
    const refused = decide(request("/v1?address=evil.com:5432"), state);
    assert.ok(refused.kind === "answer");
    assert.equal(refused.answer.status, 403);
  }
});

test("health while draining is 503", () => {
  const decision = decide(request("/healthz", {}), { ...idle, draining: true });
  assert.ok(decision.kind === "answer");
  assert.equal(decision.answer.status, 503);
});

test("an answer on the wire counts its bytes, not its characters", () => {
  assert.equal(
    serializeAnswer({ ...answer(403, "no → way"), headers: { connection: "close" } }),
    "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 11\r\n\r\nno → way\n",
  );
});
