/** org.apache.flink.configuration.MemorySize: bytes as a bigint. */

const UNITS: readonly (readonly [bigint, readonly string[]])[] = [
  [1n, ['b', 'bytes']],
  [1n << 10n, ['k', 'kb', 'kibibytes']],
  [1n << 20n, ['m', 'mb', 'mebibytes']],
  [1n << 30n, ['g', 'gb', 'gibibytes']],
  [1n << 40n, ['t', 'tb', 'tebibytes']],
];

const MAX_LONG = (1n << 63n) - 1n;

export const MEMORY_MAX = MAX_LONG;

export function mebibytes(count: number): bigint {
  return BigInt(count) << 20n;
}

/** MemorySize.parse: digits, then a unit of any case; no unit means bytes. @throws Error */
export function parseMemorySize(text: string): bigint {
  const [, digits, unitText] = /^(\d+)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (digits === undefined || unitText === undefined) throw new Error('a memory size such as 1600m is expected');
  const unit = unitText === '' ? 1n : UNITS.find(([, names]) => names.includes(unitText.toLowerCase()))?.[0];
  if (unit === undefined) throw new Error(`'${unitText}' is no memory unit: use b, k, m, g or t`);
  const bytes = BigInt(digits) * unit;
  if (bytes > MAX_LONG) throw new Error('the memory size is too large');
  return bytes;
}

/** MemorySize.multiply: exact decimal arithmetic on the factor's shortest text, cut to whole bytes. */
export function multiplyMemory(bytes: bigint, factor: number): bigint {
  const [mantissa = '0', exponent = '0'] = factor.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const shift = Number(exponent) - fraction.length;
  const product = bytes * BigInt(whole + fraction);
  return shift >= 0 ? product * 10n ** BigInt(shift) : product / 10n ** BigInt(-shift);
}

/** `1.563gb`: for messages. */
export function showMemory(bytes: bigint): string {
  const [size, names] = [...UNITS].reverse().find(([unit]) => bytes > unit) ?? [1n, ['b', 'bytes']];
  return size === 1n ? `${bytes} bytes` : `${(Number(bytes) / Number(size)).toFixed(3)}${names[1]}`;
}
