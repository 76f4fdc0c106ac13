const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

/** MurmurHash3_x64_128 with seed 0, as Guava's `murmur3_128()` puts it out: both halves in little endian. */
export function murmur3(bytes: Buffer): Buffer {
  let [h1, h2] = [0n, 0n];
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 = word(rotate(h1 ^ first(bytes.readBigUInt64LE(at)), 27n) + h2) * 5n + 0x52dce729n;
    h2 = word(rotate(word(h2) ^ second(bytes.readBigUInt64LE(at + 8)), 31n) + word(h1)) * 5n + 0x38495ab5n;
    [h1, h2] = [word(h1), word(h2)];
  }
  const tail = Buffer.alloc(16);
  bytes.copy(tail, 0, whole);
  const length = BigInt(bytes.length);
  h2 ^= second(tail.readBigUInt64LE(8)) ^ length;
  h1 ^= first(tail.readBigUInt64LE(0)) ^ length;
  h1 = word(h1 + h2);
  h2 = word(h2 + h1);
  [h1, h2] = [mixed(h1), mixed(h2)];
  h1 = word(h1 + h2);
  const hash = Buffer.alloc(16);
  hash.writeBigUInt64LE(h1, 0);
  hash.writeBigUInt64LE(word(h2 + h1), 8);
  return hash;
}

function word(value: bigint): bigint {
  return value & MASK;
}

function rotate(value: bigint, by: bigint): bigint {
  return word(value << by) | (word(value) >> (64n - by));
}

function first(value: bigint): bigint {
  return word(rotate(word(value * C1), 31n) * C2);
}

function second(value: bigint): bigint {
  return word(rotate(word(value * C2), 33n) * C1);
}

function mixed(value: bigint): bigint {
  const once = word((value ^ (value >> 33n)) * 0xff51afd7ed558ccdn);
  const twice = word((once ^ (once >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return twice ^ (twice >> 33n);
}
