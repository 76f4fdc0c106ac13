/** What is no metadata of Flink's, or is cut; the byte at which that shows. */
export class MetadataError extends Error {
  constructor(what: string, position: number) {
    super(`${what}, at byte ${position}`);
    this.name = 'MetadataError';
  }
}

/** Reads bytes as Java's DataInputStream does. What is skipped is never held, whatever length the bytes claim. */
export class Cursor {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get position(): number {
    return this.at;
  }

  get rest(): number {
    return this.bytes.length - this.at;
  }

  fail(what: string): MetadataError {
    return new MetadataError(what, this.at);
  }

  byte(): number {
    return this.bytes.readUInt8(this.pass(1));
  }

  int(): number {
    return this.bytes.readInt32BE(this.pass(4));
  }

  long(): bigint {
    return this.bytes.readBigInt64BE(this.pass(8));
  }

  /** A size in bytes. Flink writes 0 for what it does not know, and never less. */
  size(): number {
    const size = this.long();
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail(`${size} is no size`);
    return Number(size);
  }

  /** How many things follow, of so many bytes each at least. */
  count(smallest: number): number {
    const count = this.int();
    if (count < 0 || count * smallest > this.rest) throw this.fail(`${count} is no number of things that follow`);
    return count;
  }

  hex(length: number): string {
    const start = this.pass(length);
    return this.bytes.toString('hex', start, start + length);
  }

  skip(length: number): void {
    this.pass(length);
  }

  /** Bytes with their length in front. */
  skipBytes(): number {
    const length = this.count(1);
    this.pass(length);
    return length;
  }

  skipText(): void {
    this.pass(this.bytes.readUInt16BE(this.pass(2)));
  }

  /** `writeUTF`: a code unit of UTF-16 after the other, each in one to three bytes. */
  text(): string {
    const length = this.bytes.readUInt16BE(this.pass(2));
    const start = this.pass(length);
    const units: string[] = [];
    for (let at = start; at < start + length;) {
      const [unit, width] = this.unit(at);
      units.push(String.fromCharCode(unit));
      at += width;
    }
    return units.join('');
  }

  private unit(at: number): readonly [number, number] {
    const [first = 0, second = 0, third = 0] = this.bytes.subarray(at, at + 3);
    if (first < 0x80) return [first, 1];
    if (first < 0xe0) return [((first & 0x1f) << 6) | (second & 0x3f), 2];
    return [((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f), 3];
  }

  private pass(length: number): number {
    const start = this.at;
    if (length > this.rest) throw this.fail(`the file ends ${length - this.rest} bytes too early`);
    this.at += length;
    return start;
  }
}
