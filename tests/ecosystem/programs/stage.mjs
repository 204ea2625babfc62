/**
 * What a library's program is given: where its database is, and the steps to tell of.
 *
 * @module
 */

import assert from "node:assert/strict";

/** A way to a database that is empty, and the program's own. */
export class Stage {
  /** What was done, in its order. */
  steps = [];
  #driver;
  #way;

  constructor(driver, way) {
    this.#driver = driver;
    this.#way = way;
  }

  /** `TCP` or `WebSocket`. */
  get way() {
    return this.#way.name;
  }

  /** The connection string. */
  get url() {
    return this.#way.url;
  }

  /** The same in parts: host, port, user, password, database. */
  get connection() {
    const { hostname, port, username, password, pathname } = new URL(this.#way.url);
    return {
      host: hostname,
      port: Number(port),
      user: username,
      password: decodeURIComponent(password),
      database: pathname.slice(1),
    };
  }

  /** PgBouncer's connection string, for a pool by transaction; undefined where there is none. */
  get bouncerUrl() {
    return this.#way.bouncerUrl;
  }

  /** Does one thing, and tells of it when it is done. */
  async step(name, work) {
    try {
      const result = await work();
      this.steps.push(name);
      return result;
    } catch (cause) {
      throw new Error(`${name}: ${cause?.message}`, { cause });
    }
  }

  /**
   * As {@linkcode step}, for what must fail: the server refuses a second Vienna in `towns`, whose `towns_name_key` allows
   * one. `unwrap` gives the driver's error, where the library has put one of its own around it.
   */
  async refusal(work, unwrap = (error) => error) {
    await this.step("error", async () => {
      const thrown = await work().then(() => assert.fail("the second Vienna was taken"), (error) => error);
      const error = unwrap(thrown);
      if (!(error instanceof this.#driver.DatabaseError)) throw thrown;
      const { code, severity, schema, table, constraint, detail, column, routine } = error;
      assert.deepEqual(
        { code, severity, schema, table, constraint, detail, column, routine },
        {
          code: "23505",
          severity: "ERROR",
          schema: "public",
          table: "towns",
          constraint: "towns_name_key",
          detail: "Key (name)=(Vienna) already exists.",
          column: undefined,
          routine: "_bt_check_unique",
        },
      );
      assert.match(error.message, /duplicate key value violates unique constraint "towns_name_key"$/);
      for (const name of ["file", "line"]) assert.equal(typeof error[name], "string", name);
      assert.ok(error.length > 100, "length");
    });
  }
}

/** The table of those libraries that make none of their own. */
export const TOWNS = "create table towns (id serial primary key, name text not null unique, inhabitants int, " +
  "founded date, area numeric, mayors text[], extra jsonb, census bigint, at timestamptz not null default now())";
