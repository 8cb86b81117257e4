// Messages that carry many bytes, as results do: the general encoder copies those three times, into buffers of up to twice
// their size. What they allocate is not the heap's, and makes the collector run through all of it every few dozen messages.
import { create, type DescField, type DescMessage, type MessageShape, ScalarType, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Copying less is not worth the search. */
const LARGE_BYTES = 16 * 1024;
const NO_BYTES = new Uint8Array(0);

/** A message in two parts, to be sent one after the other. */
export interface LargeMessage {
  readonly head: Uint8Array;
  /** The bytes of the message as they are: no copy. */
  readonly bytes: Uint8Array;
}

const bytesFields = new WeakMap<DescMessage, readonly DescField[]>();

function bytesFieldsOf(schema: DescMessage): readonly DescField[] {
  const known = bytesFields.get(schema);
  if (known !== undefined) return known;
  const found = schema.fields.filter((field) => field.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES);
  bytesFields.set(schema, found);
  return found;
}

/**
 * A message with a field whose bytes on the wire are known, a length and what it is the length of. It may be sent, but not be
 * read and not become JSON.
 */
export function withEncoded<S extends DescMessage>(schema: S, field: DescField, data: Uint8Array): MessageShape<S> {
  const message = create(schema);
  message.$unknown = [{ no: field.number, wireType: WireType.LengthDelimited, data }];
  return message;
}

/** A message with many bytes in a field of its own; undefined for all others. Fields may come in any order on the wire. */
export function largeMessage<S extends DescMessage>(schema: S, message: MessageShape<S>): LargeMessage | undefined {
  const [encoded, another] = message.$unknown ?? [];
  if (encoded !== undefined && encoded.data.length >= LARGE_BYTES) {
    if (another !== undefined || encoded.wireType !== WireType.LengthDelimited) return undefined;
    const writer = new BinaryWriter().raw(toBinary(schema, message, { writeUnknownFields: false }));
    return { head: writer.tag(encoded.no, WireType.LengthDelimited).finish(), bytes: encoded.data };
  }
  for (const { number, localName, oneof } of bytesFieldsOf(schema)) {
    const values = message as unknown as Readonly<Record<string, unknown>>;
    const place = oneof === undefined ? localName : oneof.localName;
    const held = values[place] as { readonly case?: string; readonly value?: unknown } | Uint8Array | undefined;
    const bytes = held instanceof Uint8Array ? held : held?.case === localName ? held.value : undefined;
    if (!(bytes instanceof Uint8Array) || bytes.length < LARGE_BYTES) continue;
    const rest = { ...values, [place]: oneof === undefined ? NO_BYTES : { case: undefined } };
    const writer = new BinaryWriter().raw(toBinary(schema, rest as unknown as MessageShape<S>));
    return { head: writer.tag(number, WireType.LengthDelimited).uint32(bytes.length).finish(), bytes };
  }
  return undefined;
}
