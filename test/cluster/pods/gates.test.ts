import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { apiPath } from '../../../lib/kubernetes/api/api.ts';
import { must } from '../../contract/support/kubernetes.ts';
import { startRun } from '../support/dispatcher.ts';
import { eventually } from '../support/eventually.ts';
import { WORD_COUNT } from '../support/jobs.ts';
import { FLINK_VERSIONS, turnsOf } from '../support/lab.ts';
import { tenantSuite } from '../support/tenant-suite.ts';

const GATE = 'example.com/admission';
const START_MINUTES = 5;
const suite = tenantSuite();
const podsPath = (): string => apiPath('api', 'v1', 'namespaces', suite.tenant.namespace, 'pods');

/** As a controller admits pods that it has gated. Answers how many it let in. */
async function openGates(): Promise<number> {
  const { items } = (await must(suite.admin, { method: 'GET', path: podsPath() })) as { items: readonly V1Pod[] };
  const gated = items.filter(({ spec }) => spec?.schedulingGates?.some(({ name }) => name === GATE));
  const contentType = 'application/merge-patch+json';
  const body = { spec: { schedulingGates: [] } };
  for (const { metadata } of gated) {
    await must(suite.admin, { method: 'PATCH', path: `${podsPath()}/${metadata?.name ?? ''}`, contentType, body });
  }
  return gated.length;
}

describe.each(FLINK_VERSIONS)('Flink %s', { timeout: 300_000 }, (version) => {
  const isTurn = turnsOf(version);
  it.runIf(isTurn())(
    'pods behind a scheduling gate wait longer than deadlines.start, and start when it opens',
    async (test) => {
      const podTemplate = { spec: { schedulingGates: [{ name: GATE }] } };
      const spec = { ...WORD_COUNT, podTemplate, deadlines: { start: `${START_MINUTES}m` } };
      const run = await startRun({ tenant: suite.tenant, version, spec }, test);
      const { attempts } = await run.until((record) => record.attempts.at(-1)?.gate !== undefined, 60);
      expect(attempts[0]?.gate?.message).toContain(GATE);
      run.clock.skip((START_MINUTES + 1) * 60_000);
      let opened = 0;
      await eventually('a JobManager and a TaskManager are let in', 180, async () => {
        opened += await openGates();
        return opened >= 2;
      });
      const { event } = await run.completed(180);
      expect(event.data).toMatchObject({ state: 'succeeded', attempt: 1 });
      expect((await run.closed()).attempts).toHaveLength(1);
    },
  );
});
