import * as fc from 'fast-check';
import { expect, vi } from 'vitest';
import { isDispatchError } from '../../lib/core/errors.ts';
import { nearJson } from './mutate.ts';

/** `FUZZ_RUNS=100000 npx vitest run --project slow test/fuzz` for a long look. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 40);

// Of a long look.
vi.setConfig({ testTimeout: 600_000 });

/** A reader that takes longer hangs; the slowest of what is read here takes a few milliseconds. */
const TOO_LONG = 5_000;

/** The same for what was JSON on its way. */
export async function holdsJson(corpus: readonly unknown[], read: (value: unknown) => unknown): Promise<void> {
  await holds(nearJson(corpus), (text) => read(JSON.parse(text)));
}

/**
 * Holds a reader to what each has to keep whatever it is given: it answers, or throws a DispatchError that is somebody's
 * fault but its own; it comes to an end; it changes nothing that others share; and no error quotes without bound.
 */
export async function holds<T>(input: fc.Arbitrary<T>, read: (input: T) => unknown, numRuns = RUNS): Promise<void> {
  await fc.assert(
    fc.asyncProperty(input, async (value) => {
      const before = performance.now();
      try {
        await read(value);
      } catch (error) {
        if (!isDispatchError(error) || error.reason === 'Internal') throw error;
        expect(Buffer.byteLength(error.message)).toBeLessThanOrEqual(4096);
      }
      expect(performance.now() - before).toBeLessThan(TOO_LONG);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    }),
    { numRuns },
  );
}
