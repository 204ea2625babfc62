/**
 * What takes the place of src/types/builtin_decoders.ts in a page: the rare decoders are loaded when they are first needed,
 * be it by a result, whose rows wait for them, or by whoever asks for a parser of theirs.
 *
 * @module
 */

import { ClientError } from "../../src/errors.ts";
import type * as builtin from "../../src/types/builtin_decoders.ts";
import type { ByteDecoder, Format } from "../../src/types/codec.ts";
import { parserOf } from "../../src/types/parsers.ts";
import type { rareDecoders } from "../../src/types/rare_decoders.ts";
import { decodeText } from "../../src/types/text.ts";
import { RARE_TYPES, textDecoders } from "../../src/types/text_decoders.ts";

/** Caches: modules never change, and what stands in for a decoder stays, since a parser keeps its identity. */
let loaded: typeof rareDecoders | undefined;
let loading: Promise<void> | undefined;
let failure: unknown;
const standIns: Readonly<Record<Format, Map<number, ByteDecoder>>> = { 0: new Map(), 1: new Map() };
const rare = new Set<ByteDecoder>();

export const builtinDecoder: typeof builtin.builtinDecoder = (oid, format) =>
  format === 1 || RARE_TYPES.includes(oid) ? standIn(oid, format) : textDecoders.get(oid) ?? decodeText;

export const builtinParser: typeof builtin.builtinParser = (oid, format) => {
  const decoder = builtinDecoder(oid, format);
  // A parser of the program's own may be made of this one.
  if (rare.has(decoder)) loading ??= load();
  return parserOf(decoder);
};

export const hasBinaryDecoder: typeof builtin.hasBinaryDecoder = (oid) => loaded?.[1].has(oid) ?? false;

export const decodersLoading: typeof builtin.decodersLoading = (decoders) => {
  if (loaded !== undefined) return undefined;
  if (decoders === undefined || decoders.some((decoder) => rare.has(decoder))) loading ??= load();
  return loading;
};

function standIn(oid: number, format: Format): ByteDecoder {
  const known = standIns[format].get(oid);
  if (known !== undefined) return known;
  let found: ByteDecoder | undefined;
  const decoder: ByteDecoder = (bytes, start, end) => (found ??= rareDecoder(oid, format))(bytes, start, end);
  standIns[format].set(oid, decoder);
  rare.add(decoder);
  return decoder;
}

function rareDecoder(oid: number, format: Format): ByteDecoder {
  if (loaded !== undefined) return loaded[format].get(oid) ?? decodeText;
  throw new ClientError(
    "PART_NOT_LOADED",
    failure === undefined
      ? "this parser is still being loaded, as those of rare types and of the binary format are in a page: wait for a result"
      : "the part of pgduplex that parses this could not be loaded: a page needs all files of the package, not its entry alone",
    { phase: "query", cause: failure },
  );
}

/** What fails by it is each value that would be parsed; the next result tries again. */
async function load(): Promise<void> {
  try {
    loaded = (await import("../../src/types/rare_decoders.ts")).rareDecoders;
  } catch (cause) {
    failure = cause;
    loading = undefined;
  }
}
