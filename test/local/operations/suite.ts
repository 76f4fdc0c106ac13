import { expect, it } from 'vitest';
import type { Stack } from '../../../infra/local/stack.ts';
import { parseDeployment } from '../../../lib/deployment/record-schema.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import { listens } from '../listener.ts';
import { byCommandLine, byHttp, byMessage, httpAnswer, type Seen, type Way } from './ways.ts';

const WAYS = { 'by message': byMessage, 'by HTTP': byHttp, 'on the command line': byCommandLine } as const;

export interface Place {
  readonly stack: Stack;
  /** Of this machine, as pods reach it. */
  readonly host: string;
  /** Whether a node says by what digest it got an image: without one nothing is the same again. Default: yes. */
  readonly hasDigests?: boolean;
  /** Where pods and functions find the state of streams. */
  readonly stateFolder?: string;
}

export const EVERY_WAY = Object.keys(WAYS) as readonly (keyof typeof WAYS)[];

/** Every operation by the ways named, on a deployment: functions, AWS and Flink are what they are there. */
export function operations(open: () => Place, named = EVERY_WAY): void {
  const ways = named.map((name) => [name, WAYS[name]] as const);
  it.for(ways)('start, get, wait, list, events, logs, rerun and replay %s', async ([, wayOf], test) => {
    const { stack, hasDigests = true } = open();
    const way = wayOf(stack);
    const reads = readsOf(way, stack);
    const name = nameOf(test.task.id);
    await stack.storeJob(name, { name }, stack.cluster.examples.orderTotals);
    const first = await way.start({ runJob: name });
    expect(await reads.wait(first)).toEqual({ state: 'succeeded', reason: 'JobFinished' });
    console.log(`${test.task.name}: answered ${await sinceEnd(first, stack)} ms after the run had its outcome`);
    expect(await reads.get(first)).toEqual({ state: 'succeeded', reason: 'JobFinished' });
    expect(await reads.events(first)).toEqual(['accepted', 'started', 'succeeded']);
    expect(await reads.log(first)).toMatch(/Job [0-9a-f]{32} .*FINISHED|FINISHED/);
    const rerun = await way.again('rerun', first);
    const others = hasDigests ? [rerun, await way.again('replay', first)] : [rerun];
    for (const one of others) {
      expect(await reads.wait(one)).toMatchObject({ state: 'succeeded' });
      const [made, original] = [await stack.client.record(one), await stack.client.record(first)];
      expect(made?.job?.jar.pinned?.sha256).toBe(original?.job?.jar.pinned?.sha256);
    }
    expect((await reads.list(name)).toSorted()).toEqual([first, ...others].toSorted());
  });

  it.for(ways)('cancel %s, twice', async ([, wayOf], test) => {
    const { stack, host } = open();
    const way = wayOf(stack);
    const name = nameOf(test.task.id);
    const jarURI = `s3://${stack.deployment.ledgerBucket}/jobs/${name}.jar`;
    const job = { jarURI, args: [await listens(host), 'first'] };
    await stack.storeJob(name, { name, job }, stack.cluster.examples.counting);
    const runId = await way.start({ runJob: name });
    await stack.nextEvent(({ subject, data }) => subject === runId && data.state === 'started');
    await way.order('cancel', runId);
    const reads = readsOf(way, stack);
    expect(await reads.wait(runId)).toEqual({ state: 'canceled', reason: 'JobCanceled' });
    await way.order('cancel', runId);
    expect(await reads.get(runId)).toEqual({ state: 'canceled', reason: 'JobCanceled' });
  });

  it.for(ways)('savepoint and stop of a stream %s', async ([, wayOf], test) => {
    const { stack, host, stateFolder } = open();
    if (stateFolder === undefined) return test.skip('its state would need a storage of its own');
    const way = wayOf(stack);
    const name = nameOf(test.task.id);
    const job = { kind: 'streaming', upgradeMode: 'savepoint', args: [await listens(host), 'first'], parallelism: 1 };
    const flinkConfiguration = {
      'execution.checkpointing.interval': '2 s',
      'execution.checkpointing.dir': `file://${stateFolder}/checkpoints`,
      'execution.checkpointing.savepoint-dir': `file://${stateFolder}/savepoints`,
    };
    const spec = { name, job, flinkConfiguration };
    await stack.upload(stack.cluster.examples.counting, { key: `${name}.jar`, spec });
    const { event } = await stack.nextEvent(({ data }) => data.name === name && data.state === 'started');
    await way.order('savepoint', event.subject);
    const taken = async () => (await deployment(stack, event.subject))?.snapshots.map(({ snapshot }) => snapshot.kind);
    await expect.poll(taken, { timeout: 60_000, interval: 250 }).toEqual(['savepoint']);
    await way.order('stop', event.subject);
    const reads = readsOf(way, stack);
    expect(await reads.wait(event.subject)).toMatchObject({ reason: 'StoppedWithSavepoint' });
    await way.order('stop', event.subject);
  });

  it('POST /runs says what is wrong with a spec, and GET waits for an end', async () => {
    const { stack } = open();
    const before = (await stack.client.records()).length;
    const begun = performance.now();
    const { status, content } = await httpAnswer(stack, 'POST', '/runs', { name: 'x', job: { paralelism: 2 } });
    const taken = performance.now() - begun;
    expect(status).toBe(422);
    expect(content).toMatchObject({ reason: 'InvalidSpec', field: 'job.paralelism' });
    expect(await stack.client.records()).toHaveLength(before);
    console.log(`POST /runs of a wrong spec: ${taken.toFixed(0)} ms`);
  });
}

async function sinceEnd(runId: string, stack: Stack): Promise<number> {
  const answered = Date.now();
  return answered - ((await stack.client.record(runId))?.outcome?.at ?? NaN);
}

async function deployment(stack: Stack, runId: string): Promise<DeploymentRecord | undefined> {
  const id = (await stack.client.record(runId))?.deployment?.id;
  const text = await stack.read(`s3://${stack.deployment.ledgerBucket}/deployments/${id ?? ''}/record.json`);
  return text === undefined ? undefined : parseDeployment(text);
}

/** A message cannot read: what became of a run is in its events. */
function readsOf(way: Way, stack: Stack): NonNullable<Way['reads']> {
  if (way.reads !== undefined) return way.reads;
  const ended = async (runId: string): Promise<Seen> => {
    const { event } = await stack.nextEvent(
      ({ subject, type }) => subject === runId && type === 'io.flink-dispatch.run.completed.v1',
    );
    return { state: event.data.state, ...(event.data.reason && { reason: event.data.reason }) };
  };
  return { ...byHttp(stack).reads, get: ended, wait: ended };
}

function nameOf(id: string): string {
  return `op-${id.replaceAll(/[^a-z0-9]/gi, '').slice(-12)}-${Date.now().toString(36)}`.toLowerCase();
}
