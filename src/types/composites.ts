/**
 * Composite types, and the rows of tables as values (PostgreSQL's documentation, "Composite Types").
 *
 * @module
 */

import { type ByteDecoder, malformedValue } from "./codec.ts";
import { elementBytes, readQuotedList } from "./quoted_list.ts";
import { int32At } from "./wire.ts";

/** One attribute of a composite type. */
export interface CompositeAttribute {
  readonly name: string;
  readonly decode: ByteDecoder;
}

/** Decodes texts such as `(1,"a ""b""",)` to objects by the attributes' names. */
export function textCompositeDecoder(attributes: readonly CompositeAttribute[]): ByteDecoder {
  return (bytes, start, end) => {
    const { open, elements, close } = readQuotedList("composite", bytes, start, end);
    if (open !== "(" || close !== ")") throw malformedValue("composite", "it has no parentheses");
    // Of no attributes, the text is `()`.
    if (elements.length !== Math.max(1, attributes.length)) throw malformedValue("composite", "other attributes");
    return toObject(attributes, (attribute, index) => {
      const element = elements[index];
      if (element === null) return null;
      const inner = elementBytes(element);
      return attribute.decode(inner, 0, inner.length);
    });
  };
}

/** Decodes an int32 count, then each attribute: its type, its int32 length (-1 for NULL), its value. */
export function binaryCompositeDecoder(attributes: readonly CompositeAttribute[]): ByteDecoder {
  return (bytes, start, end) => {
    if (end - start < 4 || int32At(bytes, start) !== attributes.length) {
      throw malformedValue("composite", "other attributes");
    }
    let at = start + 4;
    return toObject(attributes, ({ decode }) => {
      const first = at + 8;
      const length = first <= end ? int32At(bytes, at + 4) : -2;
      at = first + Math.max(0, length);
      if (length === -1) return null;
      if (length < 0 || at > end) throw malformedValue("composite", "an attribute longer than the value");
      return decode(bytes, first, at);
    });
  };
}

/** Also an attribute named `__proto__` is one like any other. */
function toObject(
  attributes: readonly CompositeAttribute[],
  valueOf: (attribute: CompositeAttribute, index: number) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(attributes.map((attribute, index) => [attribute.name, valueOf(attribute, index)]));
}
