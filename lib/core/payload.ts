/** Bytes of a known number that are sent as they come, so that a big file is never in memory as a whole. */
export class Payload {
  /** Bytes. */
  readonly size: number;
  /** Begins anew with every call. */
  readonly chunks: () => AsyncIterable<Uint8Array>;

  constructor(size: number, chunks: () => AsyncIterable<Uint8Array>) {
    this.size = size;
    this.chunks = chunks;
  }

  static of(bytes: Uint8Array): Payload {
    // eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
    return new Payload(bytes.byteLength, async function* () {
      yield bytes;
    });
  }

  /** This one between two others. */
  between(head: Uint8Array, tail: Uint8Array): Payload {
    const { chunks } = this;
    return new Payload(head.byteLength + this.size + tail.byteLength, async function* () {
      yield head;
      yield* chunks();
      yield tail;
    });
  }
}
