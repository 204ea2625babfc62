import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseAsNodePostgres } from "pg-connection-string";
import { parseConnectionString } from "../../src/config/connection_string.ts";
import { ConfigError } from "../../src/errors.ts";

function fields(text: string): Record<string, string> {
  return Object.fromEntries(parseConnectionString(text));
}

const forms: readonly [text: string, expected: Record<string, string>][] = [
  ["postgres://", {}],
  ["postgresql://u:p@h:5433/db", { user: "u", password: "p", host: "h", port: "5433", database: "db" }],
  ["pg://h", { host: "h" }],
  ["  postgres://h/db\n", { host: "h", database: "db" }],
  ["postgres:///db", { database: "db" }],
  ["postgres://u:p@/db", { user: "u", password: "p", database: "db" }],
  ["postgres://u@h:/", { user: "u", host: "h" }],
  ["postgres://[::1]:5/x", { host: "::1", port: "5", database: "x" }],
  ["postgres://%2Fvar%2Frun:6000/db", { host: "/var/run", port: "6000", database: "db" }],
  ["postgres:///db?host=/var/run&port=6000&user=u", { host: "/var/run", port: "6000", user: "u", database: "db" }],
  ["postgres://u@h/db?user=v&host=i", { user: "v", host: "i", database: "db" }],
  ["postgres://h?dbname=db", { host: "h", database: "db" }],
  // Passwords with everything that is allowed unescaped, and all that must be escaped.
  ["postgres://u:p@ss:w&=+$,;!*'()@h/db", { user: "u", password: "p@ss:w&=+$,;!*'()", host: "h", database: "db" }],
  ["postgres://u:%40%3A%2F%3F%23%25%20%C3%A9@h", { user: "u", password: "@:/?#% é", host: "h" }],
  ["postgres://u:100%@h", { user: "u", password: "100%", host: "h" }],
  ["postgres://bi%25na%25ry%20:s%40f%23@localhost/%20u%2520rl", {
    user: "bi%na%ry ",
    password: "s@f#",
    host: "localhost",
    database: " u%20rl",
  }],
  ["postgres://h/a%2Fb", { host: "h", database: "a%2Fb" }],
  ["postgres://h/db?options=-c+a%3Db&application_name=x%20y&options=-c%20z", {
    host: "h",
    database: "db",
    options: "-c z",
    application_name: "x y",
  }],
  ["postgres://h/db?sslmode=require&ssl=&channel_binding=require#here", {
    host: "h",
    database: "db",
    sslmode: "require",
    channel_binding: "require",
  }],
  ["postgres://h/db?__proto__=x", Object.fromEntries([["host", "h"], ["database", "db"], ["__proto__", "x"]])],

  ["/var/run", { host: "/var/run" }],
  ["/var/run db", { host: "/var/run", database: "db" }],
  ["socket:/some/path/?db=my%5Bdb%5D&encoding=utf8", {
    host: "/some/path/",
    database: "my[db]",
    client_encoding: "utf8",
  }],
  ["socket://u:p@/path?db=x", { user: "u", password: "p", host: "/path", database: "x" }],

  ["", {}],
  ["db", { database: "db" }],

  ["host=h dbname=db port=5433", { host: "h", database: "db", port: "5433" }],
  ["  host = h   user = 'my user' password=''", { host: "h", user: "my user", password: "" }],
  ["password='it\\'s \\\\ =' user=a\\ b", { password: "it's \\ =", user: "a b" }],
  ["host=/var/run dbname=a sslmode=verify-full dbname=b", { host: "/var/run", database: "b", sslmode: "verify-full" }],
];

test("every form of a connection string becomes fields", () => {
  for (const [text, expected] of forms) assert.deepEqual(fields(text), expected, text);
});

const SECRET = "hunter2";
const malformed: readonly [text: string, code: string, words: RegExp][] = [
  [`postgres://u:${SECRET}@h:abc/db`, "CONFIG_PORT", /port/],
  [`postgres://u:${SECRET}#x@h/db`, "CONFIG_URL", /%23/],
  [`postgres://u:12#${SECRET}@h/db`, "CONFIG_URL", /%23/],
  [`postgres://u:12?${SECRET}@h/db`, "CONFIG_URL", /%3F/],
  [`postgres://u:12/${SECRET}@h/db`, "CONFIG_URL", /%2F/],
  [`postgres://u:${SECRET}/x@h/db`, "CONFIG_URL", /%2F/],
  [`postgres://u:${SECRET}@[::1/db`, "CONFIG_URL", /brackets/],
  [`postgres://u:${SECRET}@::1/db`, "CONFIG_PORT", /port/],
  [`postgres://u:${SECRET}%ff@h/db`, "CONFIG_URL", /UTF-8/],
  [`postgres://u:${SECRET}@h/d\0b`, "CONFIG_NUL", /NUL/],
  [`postgres://u:${SECRET}@h/d\nb`, "CONFIG_URL", /control/],
  [`https://u:${SECRET}@h/db`, "CONFIG_URL", /postgres:\/\//],
  [`wss://u:${SECRET}@h/db`, "CONFIG_URL", /wsProxy/],
  [`u:${SECRET}@h/db`, "CONFIG_URL", /neither a URL/],
  [`postgres:u:${SECRET}@h`, "CONFIG_URL", /neither a URL/],
  [`socket://u:${SECRET}@h/path`, "CONFIG_URL", /absolute path/],
  [`socket:relative?password=${SECRET}`, "CONFIG_URL", /absolute path/],
  [`user=u password=my ${SECRET}`, "CONFIG_URL", /after password=/],
  [`user=u password='my ${SECRET}`, "CONFIG_URL", /closing '/],
];

test("a malformed connection string is a ConfigError that says what to do and repeats nothing of it", () => {
  for (const [text, code, words] of malformed) {
    assert.throws(() => parseConnectionString(text), (error: unknown) => {
      assert.ok(error instanceof ConfigError, text);
      assert.equal(error.code, code, text);
      assert.match(error.message, words, text);
      assert.ok(!`${error.message} ${error.stack} ${error.cause}`.includes(SECRET), text);
      return true;
    }, text);
  }
});

/** What node-postgres makes of a string, in our terms: what is empty was not said, and `ssl` is decided elsewhere. */
function fieldsOfNodePostgres(text: string): Record<string, unknown> {
  const { ssl: _, db: __, encoding: ___, ...rest } = parseAsNodePostgres(text) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== "" && value !== null));
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((each) => each.isWellFormed());
const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom("", "%2Fvar%2Frun", "localhost", "DB_1"),
);
/** Names that mean the same in both; `ssl...` files and the fields of the authority are left to the table above. */
const optionName = fc.constantFrom("application_name", "options", "statement_timeout", "connect_timeout", "foo_bar");
/** As people write passwords: the delimiters escaped, the rest as it is. */
const halfEncoded = text.map((each) =>
  each.replace(/[%/?#\[\]\s\\^|<>"`{}\p{C}]/gu, encodeURIComponent).replace(/%25(?=..)/g, "%25")
);

test("URLs mean what pg-connection-string makes of them", () => {
  const url = fc.record({
    scheme: fc.constantFrom("postgres", "postgresql", "pg"),
    user: text.map(encodeURIComponent),
    password: fc.option(fc.oneof(text.map(encodeURIComponent), halfEncoded)),
    host,
    port: fc.option(fc.integer({ min: 1, max: 65535 })),
    database: fc.option(text.map(encodeURIComponent).filter((each) => !/^\.+$/.test(each))),
    options: fc.array(fc.tuple(optionName, text.map(encodeURIComponent))),
  });
  fc.assert(
    fc.property(url, (parts) => {
      const password = parts.password === null ? "" : `:${parts.password}`;
      const port = parts.port === null || parts.host === "" ? "" : `:${parts.port}`;
      const query = parts.options.map(([name, value]) => `${name}=${value}`).join("&");
      const whole = `${parts.scheme}://${parts.user}${password}@${parts.host}${port}/${parts.database ?? ""}` +
        (query === "" ? "" : `?${query}`);
      const expected = fieldsOfNodePostgres(whole);
      // WHATWG's URLs write an IPv6 address in its shortest form.
      if (parts.host.startsWith("[")) expected.host = parts.host.slice(1, -1);
      assert.deepEqual(fields(whole), expected);
    }),
    { numRuns: 500 },
  );
});

test("sockets mean what pg-connection-string makes of them", () => {
  const segment = fc.stringMatching(/^[a-z0-9_-][a-z0-9_.-]*$/);
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
  fc.assert(
    fc.property(path, fc.option(segment), text.map(encodeURIComponent), (directory, database, name) => {
      const plain = database === null ? directory : `${directory} ${database}`;
      assert.deepEqual(fields(plain), withoutUndefined(parseAsNodePostgres(plain)));
      const url = `socket:${directory}?db=${name}&encoding=utf8`;
      assert.deepEqual(fields(url), fieldsOfNodePostgres(url));
    }),
    { numRuns: 200 },
  );
});

function withoutUndefined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

test("a value of any characters survives libpq's quoting", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }).filter((each) => !each.includes("\0")), (value) => {
    const quoted = value.replace(/['\\]/g, "\\$&");
    assert.equal(fields(`user=u password='${quoted}' host=h`).password, value);
  }));
});

test("no text makes the parser throw anything but a ConfigError", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.tuple(fc.constantFrom("postgres://", "postgres://u:", "socket:", "/", "host="), fc.string())
      .map(([start, rest]) => start + rest),
  );
  fc.assert(
    fc.property(anything, (text) => {
      try {
        parseConnectionString(text);
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
