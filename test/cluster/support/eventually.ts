import { setTimeout as sleep } from 'node:timers/promises';

/** Looks until it holds. Tests that run side by side cannot use `expect.poll`. @throws Error that says what did not. */
export async function eventually(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(250);
  }
}
