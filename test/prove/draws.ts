/**
 * Chance without a sequence: what is drawn depends on the seed and on the name of the question alone. So leaving one
 * fault out, or one request, changes nothing of what all others meet, and a failing plan can be cut down.
 */
export class Draws {
  readonly seed: number;
  private readonly base: number;

  constructor(seed: number) {
    this.seed = seed;
    this.base = mix(seed ^ 0x9e3779b9);
  }

  /** 0 ≤ x < 1 */
  of(question: string): number {
    let hash = this.base;
    for (let i = 0; i < question.length; i += 1) hash = Math.imul(hash ^ question.charCodeAt(i), 0x01000193);
    return mix(hash) / 0x1_0000_0000;
  }

  chance(question: string, probability: number): boolean {
    return this.of(question) < probability;
  }

  between(question: string, low: number, high: number): number {
    return low + this.of(question) * (high - low);
  }

  whole(question: string, low: number, high: number): number {
    return Math.floor(this.between(question, low, high + 1));
  }

  pick<T>(question: string, from: readonly [T, ...T[]]): T {
    return from[Math.floor(this.of(question) * from.length)] ?? from[0];
  }
}

/** The finalizer of MurmurHash3: every bit of the input moves half of the output. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
