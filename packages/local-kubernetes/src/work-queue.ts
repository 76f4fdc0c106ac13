/** Runs a reconcile function once for each key that was added since, one after another, off the caller's stack. */
export class WorkQueue {
  readonly #reconcile: (key: string) => void;
  readonly #onError: (error: unknown) => void;
  readonly #keys = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #running = false;
  #stopped = false;

  constructor(reconcile: (key: string) => void, onError: (error: unknown) => void) {
    this.#reconcile = reconcile;
    this.#onError = onError;
  }

  add(key: string): void {
    if (this.#stopped) return;
    this.#keys.add(key);
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => {
      this.#drain();
    });
  }

  addAfter(key: string, milliseconds: number): void {
    if (this.#stopped || this.#timers.has(key)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, milliseconds);
    this.#timers.set(key, timer);
  }

  stop(): void {
    this.#stopped = true;
    this.#keys.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #drain(): void {
    const keys = [...this.#keys];
    this.#keys.clear();
    for (const key of keys) {
      try {
        this.#reconcile(key);
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#running = false;
    // What was added meanwhile waits for others to have their turn.
    const [next] = this.#keys;
    if (next !== undefined) this.add(next);
  }
}
