import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureArchivedJava } from '../../infra/local/flink/class-archive.ts';
import { ensureFlink } from '../../infra/local/flink/distribution.ts';
import { ensureSqlGateway } from '../../infra/local/flink/sql-gateway.ts';
import { ensurePyFlink } from '../../infra/local/flink/pyflink.ts';
import { checkTools } from '../../infra/local/flink/tools.ts';
import { silent } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { exampleText } from '../examples.ts';
import { useAction } from './github-action.ts';
import { listens } from './listener.ts';
import { makeStateMachine } from './state-machine.ts';

const { missing } = await checkTools();
const lacking = missing.map(({ name }) => name).join(', ');
if (lacking !== '' && process.env['CI'] !== undefined) throw new Error(`the main path needs ${lacking}`);
if (lacking !== '') process.stderr.write(`SKIPPED: the main path is not tested: it needs ${lacking}\n`);

const completed = ({ type }: LifecycleEvent): boolean => type === 'io.flink-dispatch.run.completed.v1';
const named =
  (name: string) =>
  (event: LifecycleEvent): boolean =>
    completed(event) && event.data.name === name;

describe.skipIf(lacking !== '')('the main path, on the deployed functions', () => {
  let stack: Stack;

  beforeAll(async () => {
    await ensureArchivedJava(await ensureFlink({ log: () => undefined }));
    const targets = { mounted: { jarDelivery: { kind: 'mount', urlTtl: '1h' } } };
    stack = await startStack({ progress: silent, targets, parameters: { TaskTokens: 'on' } });
  });

  afterAll(async () => {
    await stack.stop();
  });

  const eventsOf = (runId: string): LifecycleEvent[] =>
    stack.subscriber.deliveries.map(({ event }) => event).filter(({ subject }) => subject === runId);

  async function closed(runId: string): Promise<void> {
    const state = async (): Promise<unknown> => (await stack.client.record(runId))?.state;
    await expect.poll(state, { timeout: 60_000, interval: 250 }).toBe('closed');
  }

  /** Until the record is closed, its cluster proven gone, and every queue empty. */
  async function allOver(runId: string): Promise<void> {
    await closed(runId);
    await expect.poll(() => stack.remains(), { timeout: 20_000, interval: 250 }).toEqual([]);
  }

  /** As the examples print them: customer, orders, amount. */
  async function ordersPrinted({ data }: LifecycleEvent): Promise<number> {
    const printed = data.evidence?.items.find(({ name }) => name.includes('taskmanager'));
    const rows = [...((await stack.read(printed?.uri ?? '')) ?? '').matchAll(/\+I\[\d, (\d+), \d+\]/g)];
    return rows.reduce((orders, [, of]) => orders + Number(of), 0);
  }

  it('runs a jar that is dropped, announces it and leaves nothing', async () => {
    const { orderTotals } = stack.cluster.examples;
    await stack.upload(orderTotals, { key: 'team a/order+totals.jar', spec: { name: 'order-totals' } });
    const { event, envelope } = await stack.nextEvent(named('order-totals'));
    expect(envelope).toMatchObject({ source: 'flink-dispatch', 'detail-type': 'Flink Run Completed' });
    expect(event.data).toMatchObject({
      state: 'succeeded',
      reason: 'JobFinished',
      flinkState: 'FINISHED',
      attempt: 1,
      accumulators: { orders: '1000' },
      request: { kind: 'jar-upload', key: 'team a/order+totals.jar' },
    });
    await allOver(event.subject);
    expect(eventsOf(event.subject).map(({ data }) => data.state)).toEqual(['accepted', 'started', 'succeeded']);
    expect(eventsOf(event.subject).map(({ data }) => data.sequence)).toEqual([1, 2, 3]);
  });

  it('runs an SQL script that is dropped, and tells what is wrong with one', async () => {
    await ensureSqlGateway(await ensureFlink({ log: () => undefined }));
    const script = exampleText('sql/order-totals.sql');
    const spec: unknown = parse(exampleText('sql/order-totals.sql.job.yaml'));
    await stack.upload(Buffer.from(script), { key: 'of a/order-totals.sql', spec });
    const { event } = await stack.nextEvent(named('order-totals-by-sql'));
    expect(event.data).toMatchObject({
      state: 'succeeded',
      reason: 'JobFinished',
      request: { kind: 'jar-upload', key: 'of a/order-totals.sql' },
    });
    expect(await ordersPrinted(event)).toBe(1000);
    await allOver(event.subject);
    await stack.upload(Buffer.from(script.replace('FROM orders', 'FROM older')), { key: 'no-table.sql' });
    const { event: bad } = await stack.nextEvent(named('no-table'));
    expect(bad.data).toMatchObject({ state: 'failed', reason: 'ApplicationFailed', reasonClass: 'user' });
    expect(bad.data.rootException).toContain("Object 'older' not found");
    await allOver(bad.subject);
  });

  it('runs a Python program that is dropped, and tells what is wrong with one', { timeout: 480_000 }, async () => {
    const executable = await ensurePyFlink(silent);
    const flinkConfiguration = { 'python.client.executable': executable, 'python.executable': executable };
    const program = exampleText('python/order-totals.py');
    const example = parse(exampleText('python/order-totals.py.job.yaml')) as object;
    const spec = { ...example, target: 'mounted', flinkConfiguration };
    await stack.upload(Buffer.from(program), { key: 'order-totals.py', spec });
    const { event } = await stack.nextEvent(named('order-totals-by-python'), 200_000);
    expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    expect(await ordersPrinted(event)).toBe(1000);
    await allOver(event.subject);
    await stack.upload(Buffer.from(program.replace('from_path("orders")', 'from_path("older")')), {
      key: 'no-path.py',
      spec: { ...spec, name: 'no-path' },
    });
    const { event: bad } = await stack.nextEvent(named('no-path'), 200_000);
    expect(bad.data).toMatchObject({ state: 'failed', reason: 'ApplicationFailed', reasonClass: 'user' });
    // What Python printed is in the log that the event names.
    expect(bad.data.rootException).toContain('Python process exits with code: 1');
    await allOver(bad.subject);
  });

  it('runs a jar once, however often its upload is told', async () => {
    // One that is tried again finds no run of its own name.
    const name = `twice-${randomBytes(3).toString('hex')}`;
    const key = `${name}.jar`;
    const bucket = stack.deployment.jarBucket;
    const versionId = await stack.upload(stack.cluster.examples.wordCount, { key, spec: { name } });
    const { event } = await stack.nextEvent(({ data }) => data.name === name);
    const object = { key, versionId, size: 1, eTag: 'other', sequencer: '00FF' };
    const again = { eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', eventTime: new Date().toISOString() };
    await stack.client.send(
      'jar-uploads',
      JSON.stringify({ Records: [{ ...again, s3: { bucket: { name: bucket }, object } }] }),
    );
    const bridged = { source: 'aws.s3', 'detail-type': 'Object Created', time: new Date().toISOString() };
    const detail = { bucket: { name: bucket }, object: { key, 'version-id': versionId, etag: 'other', size: 1 } };
    await stack.client.send('jar-uploads', JSON.stringify({ ...bridged, detail }));
    await stack.nextEvent(named(name));
    await allOver(event.subject);
    const runs = (await stack.client.records()).filter((run) => run.name === name);
    expect(runs.map(({ attempts }) => attempts.length)).toEqual([1]);
    // An event is delivered at least once, each time with its id.
    const ids = new Set(
      eventsOf(event.subject)
        .filter(completed)
        .map(({ id }) => id),
    );
    expect(ids.size).toBe(1);
  });

  it('runs a stored job that a message names, with what the message changes', async () => {
    await stack.storeJob('words', { name: 'words' }, stack.cluster.examples.wordCount);
    await stack.send({ runJob: 'words', idempotencyKey: 'order-17', spec: { name: 'my-words' } });
    const { event } = await stack.nextEvent(named('my-words'));
    expect(event.data).toMatchObject({ state: 'succeeded', request: { kind: 'message', idempotencyKey: 'order-17' } });
    await allOver(event.subject);
  });

  it('answers the task of a state machine that waits for a run', async () => {
    const { orderTotals, failingJob } = stack.cluster.examples;
    await stack.storeJob('totals', { name: 'totals' }, orderTotals);
    await stack.storeJob('no-totals', { name: 'no-totals' }, failingJob);
    const execute = await makeStateMachine(stack);
    const [good, bad] = await Promise.all([execute('good', 'totals'), execute('bad', 'no-totals')]);
    expect(good).toMatchObject({
      status: 'SUCCEEDED',
      output: { name: 'totals', state: 'succeeded', accumulators: { orders: '1000' } },
    });
    expect(bad).toMatchObject({
      status: 'SUCCEEDED',
      output: {
        told: 'JobFailed',
        data: { name: 'no-totals', rootException: expect.stringContaining('order 3') as string },
      },
    });
    for (const name of ['totals', 'no-totals']) await allOver((await stack.nextEvent(named(name))).event.subject);
    // One that comes late, and that nobody waits for any more.
    await stack.send({ runJob: 'totals', idempotencyKey: 'good', taskToken: 'of a task that is over' });
    await expect.poll(() => stack.remains(), { timeout: 20_000, interval: 250 }).toEqual([]);
    expect(await stack.client.takeDeadLetters()).toEqual([]);
  });

  it('runs a job from a workflow on GitHub, by its action', async () => {
    await stack.storeJob('built', { name: 'built' }, stack.cluster.examples.orderTotals);
    const { stackName } = stack.deployment;
    const good = await useAction(stack, { job: 'built', stack: stackName, timeout: '3m', key: '"; exit 7 #' });
    expect(good).toMatchObject({
      exits: { start: 0, wait: 0 },
      outputs: { state: 'succeeded', reason: 'JobFinished' },
    });
    expect(good.summary).toContain(`    built ${good.outputs['run-id'] ?? '-'}: succeeded JobFinished`);
    await allOver(good.outputs['run-id'] ?? '');
    const jarURI = `s3://${stack.deployment.ledgerBucket}/jobs/endless.jar`;
    const job = { jarURI, args: [await listens('127.0.0.1'), 'first'] };
    await stack.storeJob('endless', { name: 'endless', job }, stack.cluster.examples.counting);
    const canceled = await useAction(stack, { job: 'endless', stack: stackName }, ['start', 'cancel', 'wait']);
    expect(canceled).toMatchObject({ exits: { start: 0, cancel: 0, wait: 3 }, outputs: { state: 'canceled' } });
    await closed(canceled.outputs['run-id'] ?? '');
    // The message of a look that was to come may still be on its way.
    await expect.poll(() => stack.remains(), { timeout: 90_000, interval: 250 }).toEqual([]);
  });

  it('runs a stored job at the time of a schedule', async () => {
    await stack.storeJob('at-last', { name: 'at-last' }, stack.cluster.examples.wordCount);
    const due = new Date(Date.now() + 2_000).toISOString().slice(0, 19);
    await stack.schedule({
      name: 'once',
      expression: `at(${due})`,
      timezone: 'UTC',
      input: {
        job: 'at-last',
        schedule: '<aws.scheduler.schedule-arn>',
        scheduledTime: '<aws.scheduler.scheduled-time>',
      },
    });
    const { event } = await stack.nextEvent(named('at-last'));
    expect(event.data.state).toBe('succeeded');
    expect(event.data.request).toMatchObject({
      kind: 'schedule',
      schedule: expect.stringMatching(/\/once$/) as string,
    });
    await allOver(event.subject);
  });

  it('tells the root exception of a job that fails, once', async () => {
    const { failingJob } = stack.cluster.examples;
    await stack.upload(failingJob, { key: 'failing.jar', spec: { name: 'failing', retry: { attempts: 3 } } });
    const { event } = await stack.nextEvent(named('failing'));
    expect(event.data).toMatchObject({ state: 'failed', reason: 'JobFailed', reasonClass: 'user', attempt: 1 });
    expect(event.data.rootException).toContain('order 3 has no amount');
    await allOver(event.subject);
    expect(eventsOf(event.subject).filter(completed)).toHaveLength(1);
  });

  it.each(['image-jar/job.yaml', 'standalone/job.yaml'])('runs the example %s', async (file) => {
    const name = `image-${randomBytes(3).toString('hex')}`;
    await stack.send({ spec: { ...(parse(exampleText(file)) as object), name } });
    const { event } = await stack.nextEvent(named(name));
    expect(event.data).toMatchObject({ state: 'succeeded', reason: 'JobFinished' });
    await allOver(event.subject);
  });

  it('keeps the log of a JobManager that stops as it starts, and tells its cause', async () => {
    const job = { jarURI: 'local:///opt/flink/examples/streaming/WordCount.jar', entryClass: 'com.acme.NoSuchJob' };
    await stack.send({ spec: { name: 'no-class', job } });
    const { event } = await stack.nextEvent(named('no-class'));
    expect(event.data).toMatchObject({ state: 'failed', reason: 'MainClassMissing' });
    const { message = '', evidence } = event.data;
    expect(message).toContain('com.acme.NoSuchJob');
    const log = evidence?.items.find(({ name }) => name.endsWith('.log'));
    expect(await stack.read(log?.uri ?? '')).toContain('com.acme.NoSuchJob');
    await allOver(event.subject);
  });

  it('rejects a jar that is no jar', async () => {
    await stack.upload(Buffer.from('not a zip'), { key: 'broken.jar' });
    const { event } = await stack.nextEvent(named('broken'));
    expect(event.data).toMatchObject({ state: 'rejected', reason: 'JarUnreadable' });
    await allOver(event.subject);
    expect((await stack.client.record(event.subject))?.attempts).toEqual([]);
  });

  it('keeps a message that is no JSON as a dead letter, and runs its neighbour', async () => {
    await stack.client.send('messages', '{"runJob": "words"');
    await stack.storeJob('words', { name: 'words' }, stack.cluster.examples.wordCount);
    await stack.send({ runJob: 'words', spec: { name: 'neighbour' } });
    const { event } = await stack.nextEvent(named('neighbour'));
    expect(event.data.state).toBe('succeeded');
    const letters = await stack.client.takeDeadLetters();
    expect(letters).toMatchObject([{ body: '{"runJob": "words"', attributes: { reason: 'MalformedRequest' } }]);
    await allOver(event.subject);
  });

  // The last ones: the session of the pool stays until the stack goes.
  it('runs a stored job in the session of a pool', { timeout: 300_000 }, async () => {
    const spec = { name: 'pooled', mode: 'session', session: { pool: 'warm' } };
    await stack.storeJob('pooled', spec, stack.cluster.examples.wordCount);
    await stack.send({ runJob: 'pooled' });
    const { event } = await stack.nextEvent(named('pooled'), 200_000);
    expect(event.data).toMatchObject({
      state: 'succeeded',
      reason: 'JobFinished',
      clusterId: expect.stringMatching(/^warm-[0-9a-f]{8}$/) as string,
    });
    await closed(event.subject);
    expect(eventsOf(event.subject).map(({ data }) => data.state)).toEqual(['accepted', 'started', 'succeeded']);
  });

  it('runs the jobs of a file with a session cluster in the pool of its name', { timeout: 300_000 }, async () => {
    await stack.storeJob('words', { name: 'words' }, stack.cluster.examples.wordCount);
    const text = exampleText('session-pool/session.yaml').replaceAll('BUCKET', stack.deployment.ledgerBucket);
    const ids = new Set(await stack.client.records().then((records) => records.map(({ runId }) => runId)));
    await stack.client.send('messages', text);
    for (const name of ['words', 'more-words']) {
      const isNew = (event: LifecycleEvent): boolean =>
        named(name)(event) && ![...ids].some((id) => id === event.subject);
      const { event } = await stack.nextEvent(isNew, 200_000);
      expect(event.data).toMatchObject({
        state: 'succeeded',
        clusterId: expect.stringMatching(/^warm-[0-9a-f]{8}$/) as string,
        request: { kind: 'message' },
      });
    }
    expect(await stack.client.takeDeadLetters()).toEqual([]);
  });
});
