/**
 * Flink's client walks `java.util.HashMap`s where the order can be seen: environment variables, mounts and volumes of
 * secrets, lines of the configuration file. This map walks its entries in the order that a HashMap with the same
 * history would: by bucket, and by age within a bucket (java.util.HashMap keeps that order when it grows).
 */
export class JavaHashMap<V> {
  readonly #entries = new Map<string, V>();
  #capacity: number;

  /** @param capacity as of `new HashMap<>(capacity)`; 0 when the table is not allocated yet. */
  constructor(capacity = 0) {
    this.#capacity = capacity === 0 ? 0 : powerOfTwo(capacity);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, value: V): void {
    if (this.#capacity === 0) this.#capacity = 16;
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity * LOAD_FACTOR) this.#capacity *= 2;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** HashMap.putAll, which makes room first. */
  setAll(other: JavaHashMap<V>): void {
    if (other.size === 0) return;
    if (this.#capacity === 0) this.#capacity = powerOfTwo(Math.floor(other.size / LOAD_FACTOR + 1));
    while (other.size > this.#capacity * LOAD_FACTOR) this.#capacity *= 2;
    for (const [key, value] of other.entries()) this.set(key, value);
  }

  /** `new HashMap<>(map)`. */
  copy(): JavaHashMap<V> {
    const map = new JavaHashMap<V>();
    map.setAll(this);
    return map;
  }

  entries(): [string, V][] {
    const mask = this.#capacity - 1;
    return [...this.#entries]
      .map((entry) => ({ entry, bucket: spreadHash(entry[0]) & mask }))
      .sort((a, b) => a.bucket - b.bucket)
      .map(({ entry }) => entry);
  }

  keys(): string[] {
    return this.entries().map(([key]) => key);
  }
}

const LOAD_FACTOR = 0.75;

/** `Collectors.toMap`: as it, refuses a key that comes twice. */
export function toJavaMap<V>(entries: Iterable<readonly [string, V]>): JavaHashMap<V> {
  const map = new JavaHashMap<V>();
  for (const [key, value] of entries) {
    if (map.has(key)) throw new Error(`the key '${key}' comes twice`);
    map.set(key, value);
  }
  return map;
}

/** CollectionUtil.newHashMapWithExpectedSize. */
export function javaMapOfSize<V>(expected: number): JavaHashMap<V> {
  return new JavaHashMap<V>(Math.max(1, Math.ceil(expected / LOAD_FACTOR)));
}

/** HashMap.hash of String.hashCode. */
function spreadHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash ^ (hash >>> 16);
}

function powerOfTwo(atLeast: number): number {
  let size = 1;
  while (size < atLeast) size *= 2;
  return size;
}
