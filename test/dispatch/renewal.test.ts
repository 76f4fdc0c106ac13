import { describe, expect, it } from 'vitest';
import type { Deliver } from '../../lib/delivery/delivery.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { jobMessage, World } from './world/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HIGHLY_AVAILABLE = {
  flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' },
};

/** A world whose jobs run for hours, and whose signed URLs have to be renewed every ten minutes. */
function world(): { it: World; delivered: number[] } {
  const it = new World();
  const delivered: number[] = [];
  it.flink.behaviours = [{ restAfter: 600, runsAfter: 1100 }];
  const deliver: Deliver = () => {
    delivered.push(it.clock.now());
    const secret = { name: 'flink-jar', data: { url: `https://jars/${delivered.length}` } };
    return Promise.resolve({ jarUri: 'local:///a.jar', secret, renewAt: it.clock.now() + 10 * MINUTE });
  };
  (it.dispatch as { deliver: Deliver }).deliver = deliver;
  return { it, delivered };
}

describe('a signed URL', () => {
  it('is renewed in time for as long as the run lives', async () => {
    const { it: here, delivered } = world();
    await here.request(jobMessage(HIGHLY_AVAILABLE));
    await here.drainFor(3 * HOUR);
    const again = delivered.slice(1);
    const gaps = delivered.flatMap((at, i) => (i === 0 ? [] : [at - (delivered[i - 1] ?? 0)]));
    expect(Math.max(...gaps)).toBeLessThan(11 * MINUTE);
    expect(again.length).toBeGreaterThan(15);
    expect(here.clusters.calls.filter((call) => call === 'renew')).toHaveLength(again.length);
  });

  it('is not renewed where no JobManager may start any more', async () => {
    const { it: here, delivered } = world();
    await here.request(jobMessage());
    await here.drainFor(3 * HOUR);
    expect(delivered).toHaveLength(1);
  });

  it('that cannot be renewed is tried again, and does the run no harm', async () => {
    const { it: here, delivered } = world();
    const { runId } = await here.request(jobMessage(HIGHLY_AVAILABLE));
    await here.drainFor(9 * MINUTE);
    const error = new DispatchError('ClusterUnavailable', 'no answer');
    here.clusters.faults.push({ method: 'renew', when: 'before', error }, { method: 'renew', when: 'before', error });
    await here.drainFor(10 * MINUTE);
    expect(here.record(runId).state).toBe('running');
    expect(delivered.length).toBeGreaterThanOrEqual(4);
    expect(here.logged.filter((line) => line.includes('not delivered anew'))).toHaveLength(2);
  });
});
