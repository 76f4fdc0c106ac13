import { parseMemorySize } from '../../flink/memory/size.ts';

const KUBERNETES_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Bytes of a memory size in Flink's notation (`1024m`, `2 gb`); `undefined` when Flink would refuse it. */
export function parseFlinkMemory(text: string): number | undefined {
  try {
    return safe(Number(parseMemorySize(text)));
  } catch {
    return undefined;
  }
}

/** The amount of a Kubernetes quantity (`500m`, `2Gi`, `1.5`, `1e3`); it is never negative. */
export function parseQuantity(text: string): number | undefined {
  const [, count, unit = ''] = /^\+?((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)([A-Za-z]*)$/.exec(text.trim()) ?? [];
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
