import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 60_000;

/** As a user does whose request got no answer: asks again. @throws what it met last, after a minute. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(200);
    }
  }
}
