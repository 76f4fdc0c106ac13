import { describe, expect, it, type TestContext } from 'vitest';
import { startRun, type Spec } from '../support/dispatcher.ts';
import { WORD_COUNT } from '../support/jobs.ts';
import { FLINK_VERSIONS, turnsOf } from '../support/lab.ts';
import { tenantSuite } from '../support/tenant-suite.ts';

const suite = tenantSuite();
/** More than its process is given: touched at the start, so that the kernel kills the JVM at once. */
const HEAP = '-Xms1500m -Xmx1500m -XX:+AlwaysPreTouch';
const SIZES = { jobmanager: '900m', taskmanager: '1000m' };
type Component = keyof typeof SIZES;

const sizeOf = (component: Component): string => `${component}.memory.process.size`;

async function endOf(version: string, component: Component, limit: string, test: TestContext) {
  const spec: Spec = {
    ...WORD_COUNT,
    flinkConfiguration: { [`env.java.opts.${component}`]: HEAP },
    retry: { attempts: 1, backoff: '1s', memory: { factor: 2, limit } },
  };
  const run = await startRun({ tenant: suite.tenant, version, spec }, test);
  const { event } = await run.completed(400);
  const { attempts } = await run.closed();
  return { event, attempts };
}

describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: 600_000 }, (version) => {
  const isTurn = turnsOf(version);
  it.for((['jobmanager', 'taskmanager'] as const).filter(() => isTurn()))(
    'a %s that was killed for want of memory has twice as much, and its job ends well',
    async (component, test) => {
      const { event, attempts } = await endOf(version, component, '3g', test);
      const to = component === 'jobmanager' ? '1800m' : '2000m';
      const remedies = [{ attempt: 1, option: sizeOf(component), from: SIZES[component], to }];
      expect(event.data).toMatchObject({ state: 'succeeded', attempt: 2, remedies });
      expect(attempts.map(({ outcome }) => outcome?.reason)).toEqual([
        component === 'jobmanager' ? 'JobManagerOutOfMemory' : 'TaskManagerOutOfMemory',
        'JobFinished',
      ]);
    },
  );

  it.runIf(isTurn())('a JobManager has never more than its limit', async (test) => {
    const { event, attempts } = await endOf(version, 'jobmanager', '1100m', test);
    expect(event.data).toMatchObject({ state: 'failed', reason: 'JobManagerOutOfMemory', attempt: 2 });
    const [remedy] = attempts[0]?.remedy ?? [];
    expect([remedy?.to, attempts[1]?.remedy]).toEqual(['1100m', undefined]);
  });
});
