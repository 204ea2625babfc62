/**
 * What takes the place of src/types/builtin_decoders.ts in a page: the rare decoders are loaded when they are first needed,
 * be it by a result, whose rows wait for them, or by whoever asks for a parser of theirs.
 *
 * @module
 */

import { ClientError } from "../../src/errors.ts";
import { loadPart } from "../../src/part.ts";
import type * as builtin from "../../src/types/builtin_decoders.ts";
import type { ByteDecoder, Format } from "../../src/types/codec.ts";
import { parserOf } from "../../src/types/parsers.ts";
import type { rareDecoders } from "../../src/types/rare_decoders.ts";
import { decodeText } from "../../src/types/text.ts";
import { RARE_TYPES, textDecoders } from "../../src/types/text_decoders.ts";

/** What stands in for a rare decoder, also once that is loaded: a parser keeps its identity. */
interface StandIn {
  readonly oid: number;
  readonly format: Format;
  readonly decoder: ByteDecoder;
}

/** Caches: modules never change. */
let loaded: typeof rareDecoders | undefined;
let loading: Promise<void> | undefined;
let failure: unknown;
const standIns: StandIn[] = [];

export const builtinDecoder: typeof builtin.builtinDecoder = (oid, format) =>
  format === 1 || RARE_TYPES.includes(oid) ? standIn(oid, format) : textDecoders.get(oid) ?? decodeText;

export const builtinParser: typeof builtin.builtinParser = (oid, format) => {
  const decoder = builtinDecoder(oid, format);
  // A parser of the program's own may be made of this one.
  void decodersLoading([decoder]);
  return parserOf(decoder);
};

export const hasBinaryDecoder: typeof builtin.hasBinaryDecoder = (oid) => loaded?.[1].has(oid) ?? false;

export const decodersLoading: typeof builtin.decodersLoading = (decoders) => {
  if (loaded !== undefined) return undefined;
  if (decoders === undefined || standIns.some(({ decoder }) => decoders.includes(decoder))) loading ??= load();
  return loading;
};

function standIn(oid: number, format: Format): ByteDecoder {
  const known = standIns.find((one) => one.oid === oid && one.format === format);
  if (known !== undefined) return known.decoder;
  let found: ByteDecoder | undefined;
  const decoder: ByteDecoder = (bytes, start, end) => (found ??= rareDecoder(oid, format))(bytes, start, end);
  standIns.push({ oid, format, decoder });
  return decoder;
}

function rareDecoder(oid: number, format: Format): ByteDecoder {
  if (loaded !== undefined) return loaded[format].get(oid) ?? decodeText;
  throw new ClientError(
    "PART_NOT_LOADED",
    "the parser of this type is not loaded: the first result that needs it has it loaded, and a page needs all files of the package, not its entry alone",
    { phase: "query", cause: failure },
  );
}

/** What fails by it is each value that would be parsed; the next result tries again. */
async function load(): Promise<void> {
  try {
    loaded = (await loadPart(async () => await import("../../src/types/rare_decoders.ts"))).rareDecoders;
  } catch (cause) {
    failure = cause;
    loading = undefined;
  }
}
