import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, expect, it } from 'vitest';
import { without } from '../../lib/run/machine.ts';
import { fakeIo } from '../../packages/cli/test/fake-io.ts';
import { main } from '../../packages/cli/src/main.ts';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import { launchedSample } from '../fixtures/records/load.ts';
import { openWorld } from './kubernetes-api-world.ts';

const IMAGE = 'test-shell:1';
const s3 = mockClient(S3Client);
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  s3.reset();
  for (const step of undo.splice(0).reverse()) await step();
});

/** A run that goes on, in a namespace of its own; its JobManager prints what is written into a pipe, and ends with it. */
async function liveRun() {
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-test-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const kubernetes = await startKubernetes({ dataDir: folder, images: { [IMAGE]: {} }, log: () => undefined });
  undo.push(() => kubernetes.stop());
  const world = await openWorld(kubernetes.kubeconfig, IMAGE);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubernetes.kubeconfig);
  const pipe = join(folder, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  const record = without(launchedSample(), 'keepUntil', 'outcome');
  const attempt = without(record.attempts[0], 'removalVerifiedAt', 'outcome');
  const labels = { app: attempt.clusterId, type: 'flink-native-kubernetes', component: 'jobmanager' };
  await world.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'jm', labels },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'flink-main-container', image: IMAGE, command: ['cat', pipe] }],
    },
  });
  await world.watch('pods', {}, (seen) => isRunning(seen.at(-1)?.object['status']));
  // A copy of its log was kept meanwhile.
  const job = { ...record.job, namespace: world.namespace };
  const live = { ...record, state: 'running', job, attempts: [{ ...attempt, artifacts: ['jm.log'] }] };
  const body = { transformToString: () => Promise.resolve(JSON.stringify(live)) };
  s3.on(GetObjectCommand).resolves({ Body: body, ETag: '"1"' } as never);
  return { runId: record.runId, env: { KUBECONFIG: kubeconfig }, pod: await open(pipe, 'w') };
}

function isRunning(status: unknown): boolean {
  return (status as { phase?: string } | undefined)?.phase === 'Running';
}

/** Runs the command line; `holds` waits until it has printed a text. */
function follow(argv: readonly string[], env: Record<string, string>) {
  const printed = new EventEmitter();
  let text = '';
  const io = fakeIo(env);
  const out = (more: string): void => {
    text += more;
    printed.emit('more');
  };
  const ended = main(argv, { ...io, out }, '1');
  const holds = async (wanted: string): Promise<void> => {
    while (text !== wanted) await once(printed, 'more');
  };
  return { ended, holds, interrupt: () => io.interrupt() };
}

it('logs --run --follow prints what the pod of a live run writes, and ends with it', async () => {
  const { runId, env, pod } = await liveRun();
  await pod.write('one\n');
  const { ended, holds } = follow(['logs', '--run', runId, '--follow', '--ledger', 'my-ledger'], env);
  await holds('one\n');
  await pod.write('two\nthree');
  await holds('one\ntwo\n');
  await pod.write(' and four\n');
  await holds('one\ntwo\nthree and four\n');
  await pod.write('last');
  await pod.close();
  expect(await ended).toBe(0);
  await holds('one\ntwo\nthree and four\nlast\n');
});

it('logs --run --follow ends when it is interrupted', async () => {
  const { runId, env, pod } = await liveRun();
  await pod.write('one\n');
  const { ended, holds, interrupt } = follow(['logs', '--run', runId, '--follow', '--ledger', 'my-ledger'], env);
  await holds('one\n');
  interrupt();
  expect(await ended).toBe(0);
  await pod.close();
});
