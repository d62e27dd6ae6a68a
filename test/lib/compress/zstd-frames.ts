/** Zstandard frames by hand (RFC 8878), for what no compressor writes. */

/** A frame without a checksum whose header says nothing but the window. */
export function frame(...blocks: readonly Buffer[]): Buffer {
  return Buffer.concat([header({}), ...blocks]);
}

export interface HeaderFields {
  /** `10 + exponent` is the logarithm of the window; default 128 KiB. */
  readonly windowExponent?: number;
  readonly hasChecksum?: boolean;
  readonly dictionary?: number;
  readonly contentSize?: number;
  readonly reserved?: boolean;
}

export function header(fields: HeaderFields): Buffer {
  const { windowExponent = 7, hasChecksum = false, dictionary, contentSize, reserved = false } = fields;
  const descriptor =
    (contentSize === undefined ? 0 : 0x80) |
    (reserved ? 8 : 0) |
    (hasChecksum ? 4 : 0) |
    (dictionary === undefined ? 0 : 3);
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, windowExponent << 3])];
  for (const value of [dictionary, contentSize]) {
    if (value === undefined) continue;
    const field = Buffer.alloc(4);
    field.writeUInt32LE(value);
    parts.push(field);
  }
  return Buffer.concat(parts);
}

function blockHeader(type: number, size: number, isLast: boolean): Buffer {
  const block = Buffer.alloc(3);
  block.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
  return block;
}

export function rawBlock(data: Buffer, isLast = false): Buffer {
  return Buffer.concat([blockHeader(0, data.length, isLast), data]);
}

export function runBlock(byte: number, length: number, isLast = false): Buffer {
  return Buffer.concat([blockHeader(1, length, isLast), Buffer.from([byte])]);
}

export function reservedBlock(isLast = false): Buffer {
  return blockHeader(3, 0, isLast);
}

/** @param magic 0 to 15 */
export function skippable(length: number, magic = 0): Buffer {
  const data = Buffer.alloc(8 + length, 0xaa);
  data.writeUInt32LE(0x184d2a50 + magic, 0);
  data.writeUInt32LE(length, 4);
  return data;
}
