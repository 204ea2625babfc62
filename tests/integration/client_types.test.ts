import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Client, types } from "../../mod.ts";
import { comparableResult, connectClient, connectOracle } from "../fixtures/clients.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
const oracle = await connectOracle(postgres);
after(async () => {
  await client.end();
  await oracle.end();
});

/** Literals of every base type, extremes among them. Each type is also tried as an array, of one dimension and of two. */
const LITERALS: Readonly<Record<string, readonly string[]>> = {
  bool: ["true", "false"],
  int2: ["0", "32767", "-32768"],
  int4: ["0", "2147483647", "-2147483648"],
  int8: ["0", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
  oid: ["0", "4294967295"],
  oid8: ["0", "18446744073709551615"],
  xid: ["0", "4294967295"],
  xid8: ["0", "18446744073709551615"],
  cid: ["0", "4294967295"],
  tid: ["(0,1)", "(4294967295,65535)"],
  float4: ["0", "-0", "0.1", "1e-45", "3.4028235e38", "16777217", "NaN", "Infinity", "-Infinity"],
  float8: ["0", "-0", "0.1", "5e-324", "1.7976931348623157e308", "123456789012345678", "NaN", "Infinity", "-Infinity"],
  numeric: ["0", "0.00", "-0.0001", "12345.6789", "1e40", "1e-40", "NaN", "Infinity", "-Infinity", "9".repeat(100)],
  money: ["0", "-92233720368547758.08", "92233720368547758.07"],
  text: ["", "plain", "NULL", "null", "é😀", 'q"\\,{} \t\n', "{}", "   "],
  varchar: ["", "é😀"],
  bpchar: ["", "padded   "],
  char: ["", "a"],
  name: ["", "a name"],
  xml: ["<a b='c'>é</a>", "text"],
  refcursor: ["cursor"],
  jsonpath: ["$.a[*]"],
  bytea: ["\\x", "\\x00ff5c27", "\\x" + "7b".repeat(1000)],
  bit: ["0", "1"],
  varbit: ["", "10101"],
  uuid: ["00000000-0000-0000-0000-000000000000", "01234567-89ab-cdef-fedc-ba9876543210"],
  json: ["null", "1", '"a \\" b"', '{"a": [1, null, "é", {}], "__proto__": {"x": 1}, "a": 2}', "[]", " 1e400 "],
  jsonb: ["null", "1", '"a \\" b"', '{"a": [1, null, "é", {}], "__proto__": {"x": 1}}', "[]", "123456789012345678901"],
  date: [
    "2025-02-01",
    "1999-12-31",
    "0099-12-31",
    "0001-02-28 BC",
    "4714-11-24 BC",
    "5874897-12-31",
    "infinity",
    "-infinity",
  ],
  time: ["00:00:00", "23:59:59.999999", "24:00:00"],
  timetz: ["00:00:00+00", "23:59:59.999999-15:59"],
  timestamp: [
    ...["2025-01-31 23:59:59.123456", "1999-12-31 23:59:59.999999", "0044-03-15 12:00:00.5 BC", "0099-01-01"],
    ...["1700-01-01 00:00:00.000999", "9999-12-31 23:59:59.999999", "infinity", "-infinity", "2025-03-30 02:30:00"],
  ],
  timestamptz: [
    ...["2025-01-31 23:59:59.123456+00", "1969-12-31 23:59:59.999999+00", "0044-03-15 12:00:00.5+00 BC"],
    ...["1800-01-01 00:00:00+00", "9999-12-31 23:59:59.999999-12", "infinity", "-infinity"],
  ],
  interval: [
    ...["0", "1 year 2 mons 3 days 04:05:06.789", "-1 year -2 mons +3 days -04:05:06.789123", "-00:00:00.000001"],
    ...["178000000 years", "-178000000 years", "2562047788 hours 54.775807 seconds", "13 mons -1 day", "1 mon"],
  ],
  point: ["(0,0)", "(1.5,-2.25)", "(1e300,-1e-300)", "(NaN,Infinity)"],
  line: ["{1,2,3}"],
  lseg: ["[(0,0),(1,1)]"],
  box: ["(1,1),(0,0)"],
  path: ["[(0,0),(1,1)]", "((0,0),(1,1))"],
  polygon: ["((0,0),(1,1),(1,0))"],
  circle: ["<(1,2),0.5>", "<(-1e300,0),0>"],
  cidr: ["10.0.0.0/8", "2001:db8::/32"],
  inet: ["10.0.0.1", "10.0.0.1/8", "::1"],
  macaddr: ["08:00:2b:01:02:03"],
  macaddr8: ["08:00:2b:01:02:03:04:05"],
  tsvector: ["'a':1 'fat':2,4A"],
  tsquery: ["'fat' & !'cat'"],
  int4range: ["empty", "[1,5)", "(,)"],
  int8range: ["[1,9223372036854775807)"],
  numrange: ["[1.5,)", "(,2.50]"],
  daterange: ["[2025-01-01,2025-02-01)", "[-infinity,infinity)"],
  tsrange: ['["2025-01-01 00:00:00","2025-01-02 00:00:00")'],
  tstzrange: ['["2025-01-01 00:00:00+00",)'],
  int4multirange: ["{}", "{[1,3),[5,7)}"],
  int8multirange: ["{[1,3)}"],
  nummultirange: ["{[1.0,3)}"],
  datemultirange: ["{[2025-01-01,2025-02-01)}"],
  tsmultirange: ['{["2025-01-01 00:00:00","2025-01-02 00:00:00")}'],
  tstzmultirange: ['{["2025-01-01 00:00:00+00",)}'],
  pg_lsn: ["0/0", "FFFFFFFF/FFFFFFFF"],
  pg_snapshot: ["10:20:10,14,15"],
  txid_snapshot: ["10:20:10,14,15"],
  aclitem: ["=r/postgres"],
  regclass: ["pg_class", "-"],
  regcollation: ['"C"'],
  regconfig: ["simple"],
  regdatabase: ["test"],
  regdictionary: ["simple"],
  regnamespace: ["pg_catalog"],
  regoper: ["pg_catalog.||/"],
  regoperator: ["+(integer,integer)"],
  regproc: ["now"],
  regprocedure: ["sum(int4)"],
  regrole: ["postgres"],
  regtype: ["integer", "text[]"],
  int2vector: ["", "1 2 3"],
  oidvector: ["", "1 4294967295"],
};

/** Types that take no input, or that are of the server's own insides. */
const WITHOUT_LITERALS = [
  ...["gtsvector", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "pg_dependencies", "pg_mcv_list"],
  ...["pg_ndistinct", "pg_node_tree"],
];

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Values of a type: each literal by itself, NULL, and arrays of them, the last with bounds of its own. */
function expressions(type: string): string[] {
  const name = `pg_catalog.${client.escapeIdentifier(type)}`;
  const scalars = (LITERALS[type] ?? []).map((literal) => `${quoted(literal)}::${name}`);
  const list = [...scalars, "null"].join(", ");
  const arrays = [`array[${list}]::${name}[]`, `array[]::${name}[]`, `array[[${list}], [${list}]]::${name}[]`];
  const bounds = `('[-2:${scalars.length - 3}]=' || array[${scalars.join(", ")}]::${name}[]::text)::${name}[]`;
  return [...scalars, `null::${name}`, ...arrays, bounds];
}

async function typesOfServer(): Promise<string[]> {
  const { rows } = await client.query(
    `select typname from pg_type
     where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm')
       and not exists (select from pg_type element where element.typarray = pg_type.oid)
     order by typname`,
  );
  return rows.map(({ typname }) => typname);
}

test("the table above has every type of the server", async () => {
  const known = [...Object.keys(LITERALS), ...WITHOUT_LITERALS];
  assert.deepEqual((await typesOfServer()).filter((type) => !known.includes(type)), []);
});

const present = await typesOfServer();

for (const type of Object.keys(LITERALS).filter((type) => present.includes(type))) {
  test(`${type} and its arrays are what node-postgres makes of them; in binary too`, async () => {
    for (const expression of expressions(type)) await compare(expression, [client, oracle]);
  });
}

/** One value by the simple protocol, by the extended one, and in binary where there is a decoder for that. */
async function compare(expression: string, [ours, theirs]: readonly [Client, Client]): Promise<void> {
  const text = `select ${expression} as value`;
  const expected = comparableResult(await theirs.query(text));
  const simple = await ours.query(text);
  assert.deepEqual(comparableResult(simple), expected, expression);
  const extended = await ours.query({ text, queryMode: "extended" });
  assert.deepEqual(comparableResult(extended), expected, expression);
  if (!types.prefersBinary(simple.fields[0].dataTypeID)) return;
  const binary = await ours.query({ text, binary: true });
  assert.equal(binary.fields[0].format, "binary");
  const fields = binary.fields.map((field) => ({ ...field, format: "text" as const }));
  assert.deepEqual(comparableResult({ ...binary, fields }), expected, `${expression} in binary`);
}

const SETTINGS: readonly (readonly [setting: string, types: readonly string[]])[] = [
  ...["German", "SQL, DMY", "Postgres, MDY"].map((style) =>
    [`datestyle = '${style}'`, ["date", "timestamp", "timestamptz", "daterange"]] as const
  ),
  ...["sql_standard", "postgres_verbose", "iso_8601"].map((style) =>
    [`intervalstyle = '${style}'`, ["interval"]] as const
  ),
  ...["America/St_Johns", "Asia/Kathmandu", "Africa/Monrovia"].map((zone) =>
    [`timezone = '${zone}'`, ["timestamptz", "tstzrange"]] as const
  ),
  ["bytea_output = 'escape'", ["bytea"]],
  ["extra_float_digits = 0", ["float4", "point", "circle"]],
];

for (const [setting, affected] of SETTINGS) {
  test(`after set ${setting}, text is what node-postgres makes of it`, async () => {
    await using own = await connectClient(postgres);
    await using theirs = await connectOracle(postgres);
    for (const each of [own, theirs]) await each.query(`set ${setting}`);
    for (const type of affected) {
      for (const expression of expressions(type)) {
        const text = `select ${expression} as value`;
        const [ours, expected] = [await own.query(text), await theirs.query(text)];
        assert.deepEqual(comparableResult(ours), comparableResult(expected), expression);
      }
    }
  });
}

const PARAMETERS: readonly (readonly [type: string, values: readonly unknown[]])[] = [
  ["text", ["", "é😀", 1, 1.5, -0, 1e300, NaN, 10n ** 30n, true, false, null, undefined, "\ud800", "{}"]],
  ["float8", [1.5, NaN, Infinity, 5e-324]],
  ["json", [{ a: [1, null, "é"] }, "null", { toJSON: () => ({ b: 2 }) }, { toJSON: () => "text" }]],
  ["jsonb", [{ a: undefined, b: [undefined] }]],
  ["text[]", [[], ["a", null, undefined, 'q"\\,{} '], [["a"], ["b"]], [1, true, 2n], [{ a: 1 }]]],
  ["int[]", [[1, 2, null], [[1, 2], [3, 4]]]],
  ["bytea", [
    new Uint8Array([0, 255, 92]),
    new Uint8Array(0),
    new Uint16Array([1, 2]),
    new DataView(new ArrayBuffer(3)),
  ]],
  ["bytea[]", [[new Uint8Array([0, 255]), null, new Uint8Array(0)]]],
  [
    "timestamptz",
    [
      new Date(0),
      new Date(1.7e12),
      new Date("0099-01-01T00:00:00Z"),
      new Date("-000043-03-15T12:00:00.5Z"),
      new Date(-1),
    ],
  ],
  ["timestamptz[]", [[new Date(0), null]]],
  ["text", [{ toPostgres: () => "own form" }, {
    toPostgres: (prepare: (value: unknown) => unknown) => prepare([1, "b"]),
  }]],
];

for (const [type, values] of PARAMETERS) {
  test(`parameters of type ${type} reach the server as node-postgres sends them (${values.length} values)`, async () => {
    for (const value of values) {
      const [ours, theirs] = await Promise.all(
        [client, oracle].map((each) =>
          each.query({ text: `select $1::${type}::text as value`, values: [value], rowMode: "array" })
        ),
      );
      assert.deepEqual(ours.rows, theirs.rows);
    }
  });
}

test("parseInputDatesAsUTC is not assumed: a Date reaches a timestamp in local time, as node-postgres's", async () => {
  const values = [new Date("2025-07-01T12:00:00Z"), new Date("2025-01-01T12:00:00Z")];
  const text = "select $1::timestamp::text as a, $2::date::text as b";
  assert.deepEqual((await client.query(text, values)).rows, (await oracle.query(text, values)).rows);
});

test("binary: true for all of a client's queries gives the values that text gives", async () => {
  await using binary = await connectClient(postgres, { binary: true });
  const columns = Object.keys(LITERALS).filter((type) => present.includes(type)).flatMap(expressions);
  const { fields } = await client.query(`select ${columns.join(", ")}`);
  const decodable = columns.filter((_, index) => types.prefersBinary(fields[index].dataTypeID));
  assert.ok(decodable.length > 100);
  const ask = { text: `select ${decodable.join(", ")} where $1`, values: [true], rowMode: "array" as const };
  const [ours, text] = [await binary.query(ask), await client.query(ask)];
  assert.deepEqual([...new Set(ours.fields.map(({ format }) => format))], ["binary"]);
  assert.deepEqual(comparableResult({ ...ours, fields: [] }), comparableResult({ ...text, fields: [] }));
  const both = await binary.query("select 1 as n; select 2 as n") as unknown as { rows: unknown[] }[];
  assert.deepEqual(both.map(({ rows }) => rows), [[{ n: 1 }], [{ n: 2 }]]);
});
