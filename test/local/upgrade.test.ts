import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import type { ClusterId } from '../../lib/core/ids.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { runCli } from '../../packages/cli/test/run-cli.ts';
import { otherRelease, type Difference } from './other-release.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '') process.stderr.write(`SKIPPED: upgrades of an installation are not tested: it needs ${lacking}\n`);

const LEDGER = 'lib/run/store/s3-ledger.ts';
const SCHEMA = 'lib/run/record-schema.ts';
const REPLACED = 'JSON.stringify(record), { eTag: version }';
/** A version that writes a field which the other one does not know: which look was the last that it took itself. */
const NEXT: readonly Difference[] = [
  {
    file: LEDGER,
    guard: REPLACED,
    without: REPLACED.replace('record', '{ ...record, lookOfNext: record.step.number }'),
  },
];
/** A version whose records the other one cannot read. */
const LATER: readonly Difference[] = [
  { file: LEDGER, guard: REPLACED, without: REPLACED.replace('record', '{ ...record, version: 2 }') },
  { file: SCHEMA, guard: 'z.literal(1)', without: 'z.literal([1, 2]).transform(() => 1 as const)' },
  { file: SCHEMA, guard: 'version > 1', without: 'version > 2' },
];
const REFUSED = 'the run record has version 2; this deployment reads version 1: deploy the newer one again';

interface Written {
  readonly version: number;
  readonly state: string;
  readonly step: { readonly number: number };
  readonly attempts: readonly { readonly clusterId: ClusterId }[];
  readonly lookOfNext?: number;
}

describe.skipIf(lacking !== '')('an installation with live runs', { timeout: 500_000 }, () => {
  let stack: Stack;
  let server: Server;
  /** What the job has counted so far: a job that began again would begin with 1. */
  const counted: number[] = [];
  const before = { ...process.env };

  beforeAll(async () => {
    stack = await startStack({ progress: silent });
    server = createServer(({ url = '' }, answer) => {
      counted.push(Number(new URL(url, 'http://job').searchParams.get('count')));
      answer.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // The clients of the command line read it.
    Object.assign(process.env, stack.aws.environment);
  });
  afterAll(async () => {
    process.env = before;
    server.close();
    await stack.stop();
  });

  const stackName = 'flink-dispatch-local';
  const run = (...argv: string[]) => runCli([...argv, '--stack', stackName], { env: { ...stack.aws.environment } });

  async function deploy(release: string): Promise<string> {
    const { code, out, err } = await run('deploy', '--release', release, '--yes');
    expect(code).toBe(0);
    expect(err).not.toMatch(/^(?:Add|Remove) |is replaced|lost/m);
    return /is at (\S+)/.exec(out)?.[1] ?? out;
  }

  const written = async (runId: string): Promise<Written> =>
    JSON.parse(
      (await stack.client.text(stack.deployment.ledgerBucket, `runs/${runId}/record.json`)) ?? '{}',
    ) as Written;
  const until = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: 240_000, interval: 250 });

  async function startEndless(name: string): Promise<string> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const job = { jarURI: `s3://${stack.deployment.ledgerBucket}/jobs/${name}.jar`, args: [url, 'one'] };
    await stack.storeJob(name, { name, job }, stack.cluster.examples.counting);
    await stack.send({ runJob: name });
    const started = ({ data }: LifecycleEvent): boolean => data.name === name && data.state === 'started';
    const { event } = await stack.nextEvent(started);
    return event.subject;
  }

  /** Canceled, told once, and nothing left of it. */
  async function endsOnce(runId: string): Promise<void> {
    const seen = counted.length;
    await until(() => Promise.resolve(counted.length)).toBeGreaterThan(seen);
    expect(counted).toEqual(counted.map((_, index) => index + 1));
    await stack.send({ cancelRun: runId });
    await stack.nextEvent(({ subject, data }) => subject === runId && data.state === 'canceled', 240_000);
    await until(async () => (await written(runId)).state).toBe('closed');
    const clusters = (await written(runId)).attempts.map(({ clusterId }) => clusterId);
    expect(clusters).toHaveLength(1);
    expect(await stack.cluster.remains(clusters)).toEqual([]);
    const events = stack.subscriber.deliveries.map(({ event }) => event).filter(({ subject }) => subject === runId);
    const told = new Map(events.map(({ id, data }) => [id, data.state]));
    expect([...told.values()]).toEqual(['accepted', 'started', 'canceled']);
    expect(await stack.client.takeDeadLetters()).toEqual([]);
    counted.length = 0;
  }

  it('goes to another version and back, while a run goes on and others come', async () => {
    const next = await otherRelease(stack.release, '0.9.0-next', NEXT);
    const live = await startEndless('live');
    await stack.storeJob('totals', { name: 'totals' }, stack.cluster.examples.orderTotals);
    const ask = (key: string) => stack.send({ runJob: 'totals', idempotencyKey: key, spec: { name: key } });
    await ask('at-the-upgrade');
    expect(await deploy(next)).toBe('0.9.0-next');
    await until(async () => (await written(live)).lookOfNext).toBeGreaterThan(0);
    await ask('at-the-way-back');
    expect(await deploy(stack.release)).not.toBe('0.9.0-next');
    const { lookOfNext = Infinity } = await written(live);
    // Looked at by the older one, which keeps the field that it does not know.
    await until(async () => (await written(live)).step.number).toBeGreaterThan(lookOfNext);
    expect((await written(live)).lookOfNext).toBeDefined();
    for (const name of ['at-the-upgrade', 'at-the-way-back']) {
      const { event } = await stack.nextEvent(({ data }) => data.name === name && data.state === 'succeeded', 240_000);
      expect(event.data).toMatchObject({ attempt: 1, accumulators: { orders: '1000' } });
    }
    await endsOnce(live);
  });

  it('leaves alone what a version wrote whose records it cannot read, and says so', async () => {
    const later = await otherRelease(stack.release, '1.0.0-later', LATER);
    const live = await startEndless('later');
    await deploy(later);
    await until(async () => (await written(live)).version).toBe(2);
    await deploy(stack.release);
    await until(() => readFile(stack.logFile, 'utf8')).toContain(REFUSED);
    const kept = await written(live);
    const shown = await run('runs', 'show', live);
    expect([shown.code, shown.err]).toEqual([1, expect.stringContaining(REFUSED)]);
    const seen = counted.length;
    await until(() => Promise.resolve(counted.length)).toBeGreaterThan(seen + 20);
    expect(await written(live)).toEqual(kept);
    await deploy(later);
    await endsOnce(live);
  });
});
