import { expect, it } from 'vitest';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { runLoad } from '../load/load.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '' && process.env['CI'] !== undefined) throw new Error(`the load needs ${lacking}`);
if (lacking !== '') process.stderr.write(`SKIPPED: the load is not tested: it needs ${lacking}\n`);

// `npm run load` is the same with a thousand messages.
it.skipIf(lacking !== '')(
  'sixty messages at once and room for five clusters give sixty runs, each once',
  { timeout: 420_000, retry: 0 },
  async () => {
    const verdict = await runLoad({
      messages: 60,
      quota: 5,
      throttled: 0.15,
      seed: 2,
      repeatEvery: 10,
      jobs: [200, 1_000],
      patience: 5 * 60_000,
      progress: silent,
      note: () => undefined,
    });
    expect(verdict.faults, JSON.stringify(verdict)).toEqual([]);
    expect(verdict).toMatchObject({ runs: 60, succeeded: 60, mostAtOnce: 5 });
    expect(verdict.waitedForRoom).toBeGreaterThan(0);
    for (const what of ['kubernetes', 's3', 'sqs SendMessage', 'events entry']) {
      expect(verdict.throttled[what]?.refused, what).toBeGreaterThan(0);
    }
  },
);
