/**
 * How ranges and multiranges are decoded (PostgreSQL's documentation, "Range Types").
 *
 * @module
 */

import { type ByteDecoder, malformedValue } from "./codec.ts";
import { elementBytes, readQuotedList } from "./quoted_list.ts";
import { Range } from "./range.ts";
import { decodeText } from "./text.ts";
import { int32At } from "./wire.ts";

/** Decodes texts such as `[1,5)`, `(,"2026-01-01 00:00:00")` and `empty`. */
export function textRangeDecoder(element: ByteDecoder): ByteDecoder {
  return (bytes, start, end) => {
    if (end - start === 5 && decodeText(bytes, start, end) === "empty") return new Range(null, null, { empty: true });
    const { open, elements, close } = readQuotedList("range", bytes, start, end);
    if (elements.length !== 2 || !"[(".includes(open) || !"])".includes(close)) {
      throw malformedValue("range", "it has no two bounds in brackets");
    }
    const [lower, upper] = elements.map((bound) => {
      if (bound === null) return null;
      const inner = elementBytes(bound);
      return element(inner, 0, inner.length);
    });
    return new Range(lower, upper, { lowerInclusive: open === "[", upperInclusive: close === "]" });
  };
}

/** Decodes texts such as `{[1,3),[5,6)}`. */
export function textMultirangeDecoder(range: ByteDecoder): ByteDecoder {
  return (bytes, start, end) => {
    const text = decodeText(bytes, start, end);
    if (!text.startsWith("{") || !text.endsWith("}")) throw malformedValue("multirange", "it has no braces");
    const ranges = text.slice(1, -1).match(/[[(](?:"(?:[^"\\]|\\[^]|"")*"|[^"\])])*[\])]/g) ?? [];
    return ranges.map((one) => {
      const inner = elementBytes(one);
      return range(inner, 0, inner.length);
    });
  };
}

/** The flags of the binary format (`rangetypes.h`). */
const Flag = {
  empty: 0x01,
  lowerInclusive: 0x02,
  upperInclusive: 0x04,
  lowerInfinite: 0x08,
  upperInfinite: 0x10,
} as const;

/** Decodes a byte of flags, then each finite bound after its int32 length. */
export function binaryRangeDecoder(element: ByteDecoder): ByteDecoder {
  return (bytes, start, end) => {
    if (start === end) throw malformedValue("range", "it has no flags");
    const flags = bytes[start];
    let at = start + 1;
    const bound = (infinite: number): unknown => {
      if ((flags & (Flag.empty | infinite)) !== 0) return null;
      const first = at + 4;
      const length = first <= end ? int32At(bytes, at) : -1;
      if (length < 0 || first + length > end) throw malformedValue("range", "a bound longer than the range");
      at = first + length;
      return element(bytes, first, at);
    };
    const lower = bound(Flag.lowerInfinite);
    const upper = bound(Flag.upperInfinite);
    return new Range(lower, upper, {
      empty: (flags & Flag.empty) !== 0,
      lowerInclusive: (flags & Flag.lowerInclusive) !== 0,
      upperInclusive: (flags & Flag.upperInclusive) !== 0,
    });
  };
}

/** Decodes an int32 count, then each range after its int32 length. */
export function binaryMultirangeDecoder(range: ByteDecoder): ByteDecoder {
  return (bytes, start, end) => {
    const count = end - start >= 4 ? int32At(bytes, start) : -1;
    if (count < 0 || count * 5 > end - start) throw malformedValue("multirange", "a bad count");
    const ranges: unknown[] = [];
    for (let at = start + 4; ranges.length < count;) {
      const length = at + 4 <= end ? int32At(bytes, at) : -1;
      if (length < 0 || at + 4 + length > end) throw malformedValue("multirange", "a range longer than the value");
      ranges.push(range(bytes, at + 4, at + 4 + length));
      at += 4 + length;
    }
    return ranges;
  };
}
