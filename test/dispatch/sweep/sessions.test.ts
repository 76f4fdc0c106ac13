import { beforeEach, describe, expect, it } from 'vitest';
import { omit } from '../../../lib/core/omit.ts';
import { sweepSession } from '../../../lib/dispatch/sweep/sweep-sessions.ts';
import type { PoolOwner } from '../../../lib/kubernetes/cluster/port.ts';
import type { JobState } from '../../../lib/flink/job-state.ts';
import { newLease, type SessionLease } from '../../../lib/run/session-lease.ts';
import { jobManagerPod, NOW } from '../../verdict/observations.ts';
import { clusterOf, FoundClusters, MINUTE, runOf, Swept } from './swept.ts';

const REF = { target: 't', namespace: 'flink', clusterId: clusterOf('session') };
const OWNER: PoolOwner = { kind: 'pool', pool: 'p', ledger: 'ledger' };
const lease: SessionLease = newLease(REF, { name: 'p', idleAfter: MINUTE });
const idle = (since: number): SessionLease => ({ ...lease, idleSince: NOW - since });
const { runId } = runOf('a');
const joined: SessionLease = { ...lease, runs: { [runId]: 1 } };
const stopping: SessionLease = { ...idle(MINUTE), state: 'stopping' };

let swept: Swept;
let found: FoundClusters;
let writes: number;

beforeEach(() => {
  swept = new Swept();
  found = new FoundClusters(swept, 't');
  found.add('session', 0, OWNER);
  const at = { uid: 'uid-session', createdAt: 0, deleting: false, desiredReplicas: 1, conditions: [] };
  found.facts = { deployment: { state: 'present', owner: OWNER, ...at }, pods: [], events: [] };
  writes = 0;
  const write = swept.leases.write.bind(swept.leases);
  swept.leases.write = (...args) => {
    writes += 1;
    return write(...args);
  };
});

const pass = (stands = true) => sweepSession(found.target, REF, stands, swept.deps);
async function given(known: SessionLease | undefined, jobs: readonly JobState[] = []): Promise<void> {
  if (known !== undefined) await swept.leases.write(known, undefined);
  found.jobs = jobs;
  writes = 0;
}

describe('the session of a pool', () => {
  it.each<[string, SessionLease, readonly JobState[], SessionLease, number]>([
    ['has a run', joined, [], joined, 0],
    ['runs a job that nobody knows', lease, ['RUNNING'], lease, 0],
    ['runs a job again', idle(MINUTE), ['FINISHED', 'CREATED'], lease, 1],
    ['has no job for the first time', lease, ['FINISHED'], idle(0), 1],
    ['has not been idle for its time', idle(MINUTE - 1), [], idle(MINUTE - 1), 0],
  ])('stays while it %s', async (_, known, jobs, next, count) => {
    await swept.ledger.create(runOf('a'));
    await given(known, jobs);
    await pass();
    expect([swept.leases.all, writes, found.removed]).toEqual([[next], count, []]);
  });

  it('is stopped when it has been idle for its time, and its lease goes when nothing is left', async () => {
    await given(idle(MINUTE));
    await pass();
    const { namespace, clusterId } = REF;
    const what = { highAvailability: true, uid: 'uid-session' };
    expect(found.removed).toEqual([{ ref: { namespace, clusterId }, what }]);
    expect([swept.leases.all, writes]).toEqual([[], 1]);
    const fields = { ...REF, idleSince: NOW - MINUTE };
    expect(swept.logged).toEqual([`info an idle session is stopped ${JSON.stringify(fields)}`]);
  });

  it('keeps its lease while something is left, so that nobody joins it', async () => {
    found.goes = false;
    await given(idle(MINUTE));
    await pass();
    expect(swept.leases.all).toEqual([stopping]);
    found.goes = true;
    writes = 0;
    await pass();
    expect([swept.leases.all, writes]).toEqual([[], 0]);
  });

  it('is not stopped under a run that joined meanwhile', async () => {
    await given(idle(MINUTE));
    swept.leases.write = () => Promise.resolve(false);
    await pass();
    expect([swept.leases.all, found.removed]).toEqual([[idle(MINUTE)], []]);
  });

  it('keeps a lease that a run has opened again while it was removed', async () => {
    await given(stopping);
    const read = swept.leases.read.bind(swept.leases);
    let reads = 0;
    swept.leases.read = async (ref) => {
      reads += 1;
      const known = await read(ref);
      return reads < 3 || known === undefined ? known : { ...known, value: joined };
    };
    await pass();
    expect([swept.leases.all, found.removed.length]).toEqual([[stopping], 1]);
  });

  it('has a lease that somebody else may take away first', async () => {
    await given(stopping);
    const read = swept.leases.read.bind(swept.leases);
    let reads = 0;
    swept.leases.read = async (ref) => {
      reads += 1;
      return reads < 3 ? read(ref) : undefined;
    };
    await pass();
    expect(swept.logged.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('is none of which neither a Deployment nor a lease is left', async () => {
    await given(undefined);
    await pass(false);
    expect([swept.leases.all, writes]).toEqual([[], 0]);
  });

  it('that stands without a lease gets one', async () => {
    await given(undefined);
    await pass();
    expect(swept.leases.all).toEqual([{ ...idle(0), pool: 'unknown', idleAfter: 10 * MINUTE }]);
  });

  it('that stands without a lease and runs a job is left alone', async () => {
    await given(undefined, ['RUNNING']);
    await pass();
    expect([swept.leases.all, swept.logged, found.removed]).toEqual([[], [], []]);
  });

  it('is looked at again where its lease cannot be read', async () => {
    swept.leases.read = () => Promise.reject(new Error('no'));
    await pass();
    expect(swept.logged).toEqual([`warn a session could not be swept ${JSON.stringify({ ...REF, error: 'no' })}`]);
  });
});

describe('runs that have not left a session', () => {
  it.each([
    ['closed', runOf('a', 'closed')],
    ['without a record', undefined],
  ])('leave it when they are %s', async (_, record) => {
    if (record !== undefined) await swept.ledger.create(record);
    await given(joined, ['RUNNING']);
    await pass();
    expect(swept.leases.all).toEqual([lease]);
    await given(undefined);
    await pass();
    expect(swept.leases.all).toEqual([idle(0)]);
  });

  it('leave those that go on in it', async () => {
    const other = runOf('b').runId;
    await swept.ledger.create(runOf('b'));
    await given({ ...lease, runs: { [runId]: 1, [other]: 2 } });
    await pass();
    expect([swept.leases.all, writes]).toEqual([[{ ...lease, runs: { [other]: 2 } }], 1]);
  });
});

describe('a session that does not say what it runs', () => {
  beforeEach(() => {
    found.faults.plan('overview', 'before', new Error('no'));
  });

  it('runs nothing where no JobManager runs', async () => {
    await given(lease);
    await pass();
    expect([swept.leases.all, swept.logged]).toEqual([[idle(0)], []]);
  });

  it('stays where one runs', async () => {
    found.facts = { ...found.facts, pods: [jobManagerPod()] };
    await given(idle(2 * MINUTE));
    await pass();
    expect([swept.leases.all, found.removed]).toEqual([[idle(2 * MINUTE)], []]);
    const fields = { ...omit(REF, 'namespace'), namespace: 'flink', error: 'no' };
    const [line = ''] = swept.logged;
    expect(line).toMatch(/^warn a session does not say what it runs /);
    expect(JSON.parse(line.slice(line.indexOf('{')))).toEqual(fields);
  });
});
