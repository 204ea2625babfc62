// Callbacks, queries that report by events, submittables.
import pg, {
  Client,
  type Connection,
  Pool,
  Query,
  type QueryArrayResult,
  type QueryResult,
  type Submittable,
} from "pg";

const client = new Client("postgres://localhost/shop");
client.connect((error: Error | null) => {
  if (error) throw error;
});
client.query("select 1", (error, result) => {
  if (error) throw error;
  const count: number | null = result.rowCount;
  console.log(count, result.rows[0].n);
});
client.query(
  "select $1",
  [1],
  (error: Error, result: QueryResult<{ n: number }>) => console.log(error, result.rows[0]!.n),
);
client.query<{ n: number }>({ text: "select 1" }, (error, result) => console.log(error, result.rows[0]!.n + 1));
client.query({ text: "select 1", rowMode: "array" }, (error: Error, result: QueryArrayResult<[number]>) => {
  console.log(error, result.rows[0]![0] + 1);
});

const query = client.query(new Query<{ n: number }>("select generate_series(1, 3) as n"));
query.on("row", (row, result) => {
  console.log(row.n + 1);
  result?.addRow(row);
});
query.on("error", (error) => console.error(error.message));
query.on("end", (result) => console.log(result.rows.length, result.command));
client.query(new Query({ text: "select $1", values: [1] }, (error, result) => console.log(error, result.rows)));
client.query(new Query("select $1", [1], (error, result) => console.log(error, result.rows)));

class Counter implements Submittable {
  submit(connection: Connection): void {
    connection.query("select 1");
    connection.on("dataRow", () => {});
    connection.stream.on("error", () => {});
  }
  counted = 0;
}
const counter: Counter = client.query(new Counter());
console.log(counter.counted);

const pool = new Pool({ max: 2 });
pool.query("select 1", (error, result) => console.log(error, result.rows));
pool.query("select $1", [1], (error, result) => console.log(error, result.rows));
pool.connect((error, connected, done) => {
  if (error || connected === undefined) return done(error);
  connected.query("select 1", () => done());
});
pool.end(() => {});
client.end((error) => console.log(error));
console.log(new pg.Client().port, pg.Query.name);
