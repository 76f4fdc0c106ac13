import type { V1ContainerState, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { findFailure } from '../../lib/diagnosis/findings.ts';
import { acceptBatch } from '../../lib/dispatch/accept-batch.ts';
import { podFacts } from '../../lib/kubernetes/cluster/facts.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { parseMessageEvent } from '../../lib/trigger/message.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { World } from '../dispatch/world/simulated.ts';
import { answered, jobOf, kubernetes, look, NOW, runIn } from '../verdict/observations.ts';

describe('sidecar-exit', () => {
  const time = (seconds: number): Date => new Date(NOW - 600_000 + seconds * 1000);
  const running = (at: number): V1ContainerState => ({ running: { startedAt: time(at) } });
  const ended = (exitCode: number, reason: string): V1ContainerState => ({
    terminated: { exitCode, reason, startedAt: time(4), finishedAt: time(40) },
  });
  const status = (name: string, more: Partial<V1ContainerStatus>): V1ContainerStatus => {
    return { name, image: name, imageID: '', ready: true, restartCount: 0, state: running(5), ...more };
  };
  const restarted = (restartCount: number, exitCode: number, reason: string): Partial<V1ContainerStatus> => {
    return { restartCount, state: running(50), lastState: ended(exitCode, reason) };
  };
  const pod = (others: readonly V1ContainerStatus[], inits: readonly V1ContainerStatus[] = []): V1Pod => ({
    metadata: { name: 'c-x', uid: 'jm', creationTimestamp: time(1), labels: { component: 'jobmanager' } },
    spec: {
      initContainers: inits.map(({ name }) => ({ name, ...(name === 'proxy' && { restartPolicy: 'Always' }) })),
      containers: ['flink-main-container', ...others.map(({ name }) => name)].map((name) => ({ name })),
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [status('flink-main-container', {}), ...others],
      initContainerStatuses: [...inits],
    },
  });

  it.each<[string, V1Pod]>([
    ['a log shipper restarted once', pod([status('log-shipper', restarted(1, 1, 'Error'))])],
    ['a helper completed', pod([status('fetch-conf', { ready: false, state: ended(0, 'Completed') })])],
    ['a mesh proxy was killed', pod([status('istio-proxy', restarted(1, 137, 'OOMKilled'))])],
    ['a native sidecar restarted twice', pod([], [status('proxy', restarted(2, 1, 'Error'))])],
    [
      'an init container was tried again, then done',
      pod([], [status('wait-db', { ...restarted(2, 1, 'Error'), state: ended(0, 'Completed') })]),
    ],
    [
      'an optional one has no image',
      pod([status('metrics', { ready: false, state: { waiting: { reason: 'ImagePullBackOff' } } })]),
    ],
  ])('%s: the job goes on', (_what, object) => {
    for (const record of [runIn('starting', 5000), runIn('running', 5000)]) {
      const facts = podFacts(object);
      const seen = kubernetes(record, { pods: facts === undefined ? [] : [facts] });
      const rest = answered([jobOf(record, { tasks: { RUNNING: 2 } })]);
      expect(decide(look(record, rest, { kubernetes: seen }), record, NOW)).toMatchObject({ kind: 'wait' });
      expect(findFailure(seen, NOW)?.certainty).not.toBe('final');
    }
  });
});

describe('fifo-batch', () => {
  const ids = ['m1', 'm2', 'm3'];
  const arn = 'arn:aws:sqs:eu-central-1:111122223333:jobs.fifo';
  const Records = ids.map((messageId) => ({
    messageId,
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    attributes: { MessageGroupId: 'g' },
    body: JSON.stringify({ name: 'nightly', concurrency: { policy: 'replace' }, job: { jarURI: 'local:///a.jar' } }),
  }));

  it('comes again as a whole when its first message meets trouble, and no older one replaces the youngest', async () => {
    const world = new World();
    world.plans.strike(/ s3 put runs\/.*record/, 'refused');
    const send = () => acceptBatch(parseMessageEvent({ Records }, 0), () => ({ body: '', source: arn }), world.accept);
    expect(await send()).toEqual({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
    expect(await send()).toEqual({ batchItemFailures: [] });
    await world.drain();
    const idOf = ({ source }: RunRecord): string => (source.kind === 'message' ? source.messageId : '');
    expect([...new Set(world.writes.map(idOf))]).toEqual(ids);
    const youngest = world.records.find((record) => idOf(record) === 'm3');
    expect(youngest?.outcome).toMatchObject({ state: 'succeeded' });
  });
});
