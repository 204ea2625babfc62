import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { describeUrl, proxyUrl } from "../../src/duplex/proxy_url.ts";
import type { ConfigError } from "../../src/errors.ts";

type Proxy = Parameters<typeof proxyUrl>[0];

test("a proxy's URL, host or function becomes the URL for a database", () => {
  const cases: [proxy: Proxy, host: string, expected: string][] = [
    ["proxy.example.com", "db", "wss://proxy.example.com/v1?address=db:5432"],
    ["proxy.example.com:8443", "db", "wss://proxy.example.com:8443/v1?address=db:5432"],
    ["proxy.example.com/v1", "db", "wss://proxy.example.com/v1?address=db:5432"],
    ["proxy.example.com/", "db", "wss://proxy.example.com/v1?address=db:5432"],
    ["proxy.example.com/pg/v2", "db", "wss://proxy.example.com/pg/v2?address=db:5432"],
    ["localhost:5433", "db", "wss://localhost:5433/v1?address=db:5432"],
    ["[::1]:5433/v1", "db", "wss://[::1]:5433/v1?address=db:5432"],
    [" wss://proxy.example.com/v1 ", "db", "wss://proxy.example.com/v1?address=db:5432"],
    ["ws://localhost:5433", "db", "ws://localhost:5433/v1?address=db:5432"],
    ["WS://localhost:5433", "db", "ws://localhost:5433/v1?address=db:5432"],
    ["http://localhost:5433/v1", "db", "ws://localhost:5433/v1?address=db:5432"],
    ["https://proxy.example.com", "db", "wss://proxy.example.com/v1?address=db:5432"],
    ["https://user:pass@proxy.example.com", "db", "wss://user:pass@proxy.example.com/v1?address=db:5432"],
    ["proxy.example.com?token=a%20b&x", "db", "wss://proxy.example.com/v1?token=a%20b&x&address=db:5432"],
    ["proxy.example.com/v1?address=old:1", "db", "wss://proxy.example.com/v1?address=db:5432"],
    ["proxy.example.com", "::1", "wss://proxy.example.com/v1?address=[::1]:5432"],
    ["proxy.example.com", "[fe80::1]", "wss://proxy.example.com/v1?address=[fe80::1]:5432"],
    ["proxy.example.com", "a&b=c#d", "wss://proxy.example.com/v1?address=a%26b%3Dc%23d:5432"],
    [(host, port) => `wss://${host}.proxy/ws/${port}`, "db", "wss://db.proxy/ws/5432"],
    [(host) => `relay.example.com/?to=${host}`, "db", "wss://relay.example.com/?to=db"],
    [() => "http://localhost:1/x", "db", "ws://localhost:1/x"],
  ];
  for (const [proxy, host, expected] of cases) assert.equal(proxyUrl(proxy, host, 5432), expected, inspect(proxy));
});

test("what is no URL of a WebSocket is refused, without being quoted", () => {
  const cases: [proxy: unknown, words: RegExp][] = [
    ["", /must be, or return, a URL or host/],
    ["  ", /must be, or return, a URL or host/],
    [() => undefined, /must be, or return, a URL or host/],
    ["wss://secret host", /is not a URL or host/],
    ["wss://:secret@", /is not a URL or host/],
    ["ftp://secret.example.com", /scheme ftp:/],
    ["wss://secret.example.com/v1#x", /fragment/],
  ];
  for (const [proxy, words] of cases) {
    assert.throws(() => proxyUrl(proxy as Proxy, "db", 5432), (error: ConfigError) => {
      assert.deepEqual([error.name, error.code, error.host], ["ConfigError", "CONFIG_WS_PROXY", "db"]);
      assert.match(error.message, words);
      assert.ok(!inspect(error).replaceAll(/\s+at .*/g, "").includes("secret"), inspect(error));
      return true;
    }, inspect(proxy));
  }
});

test("a URL is shown without credentials and query", () => {
  assert.equal(describeUrl("wss://user:pass@p.example:8443/v1?token=x&address=db:5432"), "wss://p.example:8443/v1");
});
