/**
 * What the demo can be asked.
 *
 * @module
 */

import type { Coordinate } from "./places.ts";

export const USAGE = "Usage: deno task demo [--lat=<degrees, north positive>] [--lon=<degrees, east positive>]";

/** The oceanic pole of inaccessibility, which is farther from land than any other point of the sea. */
export const POINT_NEMO: Coordinate = { lat: -48.8767, lon: -123.3933 };

const BOUNDS: Readonly<Record<string, number>> = { lat: 90, lon: 180 };

/** Reads `--lat=1.5`, `--lat 1.5` and the same for `lon`; throws with the usage for anything else. */
export function parseCoordinate(args: readonly string[]): Coordinate {
  const found: Record<string, number> = {};
  const words = args.flatMap((arg) => arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg]);
  for (let index = 0; index < words.length; index += 2) {
    const [flag = "", value] = [words[index], words[index + 1]];
    const name = flag.replace(/^--/, "");
    const bound = flag.startsWith("--") && Object.hasOwn(BOUNDS, name) ? BOUNDS[name] : undefined;
    if (bound === undefined) throw new Error(`There is no ${flag}. ${USAGE}`);
    const degrees = value === undefined || value.trim() === "" ? NaN : Number(value);
    if (!(Math.abs(degrees) <= bound)) throw new Error(`${flag} is a number from -${bound} to ${bound}. ${USAGE}`);
    found[name] = degrees;
  }
  const { lat, lon } = found;
  if (lat === undefined && lon === undefined) return POINT_NEMO;
  if (lat === undefined || lon === undefined) throw new Error(`--lat and --lon belong together. ${USAGE}`);
  return { lat, lon };
}

/** Such as `48.88° S, 123.39° W`. */
export function describeCoordinate({ lat, lon }: Coordinate): string {
  const degrees = (value: number, [positive, negative]: readonly [string, string]) =>
    `${Math.abs(value).toFixed(2)}° ${value < 0 ? negative : positive}`;
  return `${degrees(lat, ["N", "S"])}, ${degrees(lon, ["E", "W"])}`;
}
