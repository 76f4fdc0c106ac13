import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { CACHE } from './bundle.ts';
import type { TestedMutant } from './mutants.ts';

/** What vitest's reporter of that name writes, as far as it is read. */
const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).default([]) }),
      ),
    }),
  ),
});

/** Of a test file without its guard: the test that failed of it, or why it shows nothing. */
export type Noticed = { readonly by: string } | { readonly by: undefined; readonly why: string };

/**
 * Runs the test of a mutant. A file that cannot be loaded fails as well, and so does a test that a busy machine lets wait
 * for too long: neither says anything of the guard, so a test that ran and failed by itself is what counts.
 */
export function noticedByTest({ name, test }: TestedMutant): Noticed {
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, `report-${process.pid}.json`);
  rmSync(file, { force: true });
  const args = ['run', '--project', 'unit', '--reporter', 'json', `--outputFile=${file}`, test];
  spawnSync('npx', ['vitest', ...args], { env: { ...process.env, MUTANT: name }, stdio: 'ignore' });
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  rmSync(file, { force: true });
  return readReport(text);
}

export function readReport(text: string): Noticed {
  const report = Report.safeParse(parsed(text));
  if (!report.success) return { by: undefined, why: 'NO RESULT: vitest gave no report' };
  const results = report.data.testResults.flatMap(({ assertionResults }) => assertionResults);
  if (results.length === 0) return { by: undefined, why: 'NO RESULT: no test ran' };
  const failed = results.filter(({ status }) => status === 'failed');
  const own = failed.find(
    ({ failureMessages }) => !failureMessages.some((message) => /timed out in \d+ ?ms/.test(message)),
  );
  if (own !== undefined) return { by: own.fullName };
  return { by: undefined, why: failed.length > 0 ? 'NO RESULT: its test took too long' : 'SURVIVED' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
