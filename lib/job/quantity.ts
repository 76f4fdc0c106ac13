/** The unit labels of org.apache.flink.configuration.MemorySize: all binary. */
const FLINK_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  bytes: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  kibibytes: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  mebibytes: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
  gibibytes: 2 ** 30,
  t: 2 ** 40,
  tb: 2 ** 40,
  tebibytes: 2 ** 40,
};

const KUBERNETES_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of a memory size in Flink's notation (`1024m`, `2 gb`); `undefined` when Flink would refuse it. */
export function parseFlinkMemory(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+)\s*([a-z]*)$/.exec(text.trim().toLowerCase()) ?? [];
  return count === undefined || !Object.hasOwn(FLINK_UNITS, unit)
    ? undefined
    : safe(Number(count) * (FLINK_UNITS[unit] ?? NaN));
}

/** The amount of a Kubernetes quantity (`500m`, `2Gi`, `1.5`). */
export function parseQuantity(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text.trim()) ?? [];
  return count === undefined || !Object.hasOwn(KUBERNETES_UNITS, unit)
    ? undefined
    : Number(count) * (KUBERNETES_UNITS[unit] ?? NaN);
}

/**
 * A memory size as Flink takes it: Flink's own notation stays as it is, a Kubernetes quantity becomes bytes. That `2G`
 * is 2 GiB, because Flink reads it first, is as the Flink Kubernetes operator has it.
 */
export function toFlinkMemory(text: string): string | undefined {
  if (parseFlinkMemory(text) !== undefined) return text.trim();
  const bytes = parseQuantity(text);
  return bytes === undefined || safe(bytes) === undefined ? undefined : `${Math.floor(bytes)}b`;
}

function safe(bytes: number): number | undefined {
  return Number.isSafeInteger(Math.floor(bytes)) ? bytes : undefined;
}
