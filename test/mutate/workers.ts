import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { journal, note, type Entry } from './journal.ts';
import { JOURNAL_FILE } from './mutants.ts';

/**
 * The room's tests with every mutant, in a process that starts anew where a mutant made one hang: such a mutant is
 * noticed. Throws where the tests fail as they are.
 */
export async function runTests(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  for (;;) {
    const child = spawn('npx', ['vitest', ...args], { env, stdio: 'inherit', detached: true });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const status = await Promise.race([ended, whenHung(ended)]);
    if (status === 0) return;
    if (status !== 'hung') throw new Error('the tests fail before anything is changed');
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    const last = journal().at(-1);
    if (last?.kind === 'try') note({ kind: 'noticed', mutant: last.mutant, by: `no end: ${last.name}` });
  }
}

/** Resolves when the last try has had its time; never when the tests end before. */
async function whenHung(ended: Promise<unknown>): Promise<'hung'> {
  let over = false;
  void ended.then(() => (over = true));
  let seen = { size: 0, at: performance.now() };
  while (!over) {
    await pause(1_000);
    const size = statSync(JOURNAL_FILE, { throwIfNoEntry: false })?.size ?? 0;
    if (seen.size !== size) seen = { size, at: performance.now() };
    else if (performance.now() - seen.at > timeOf(journal().at(-1))) return 'hung';
  }
  return await new Promise<never>(() => undefined);
}

function timeOf(entry: Entry | undefined): number {
  return entry?.kind === 'try' ? entry.ms : Number.POSITIVE_INFINITY;
}
