import { describe, expect, it } from 'vitest';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { Draws } from '../prove/draws.ts';
import type { SeenProcess } from './cluster-watch.ts';
import { judge, type Evidence } from './judge.ts';
import type { Delivery } from './subscriber.ts';
import { wishesFor } from './wishes.ts';
import type { Step, Testimony } from './witness.ts';

const [wish] = wishesFor(1, new Draws(1), ['2.3.0']);
if (wish === undefined) throw new Error('no wish');
const RUN = 'a'.repeat(20);
const CLUSTER = `${wish.name}-aaaaaaaaaa-1`;
const SECOND = `${wish.name}-aaaaaaaaaa-2`;
const T = 1_700_000_000_000;

const record = {
  ...{ runId: RUN, name: wish.name, state: 'closed', source: { kind: 'message', idempotencyKey: wish.name } },
  outcome: { state: 'succeeded', reason: 'JobFinished', message: '' },
  attempts: [{ number: 1, clusterId: CLUSTER, launchedAt: T, removalVerifiedAt: T + 60_000 }],
  events: ['accepted', 'started', 'completed'].map((type, index) => ({ sequence: index + 1, type, publishedAt: T })),
} as unknown as RunRecord;

function delivery(sequence: number, type: string, state: string, reason?: string): Delivery {
  const data = { sequence, state, reason };
  const event = { id: `${RUN}.${sequence}`, subject: RUN, type: `io.flink-dispatch.run.${type}.v1`, data };
  return { event: event as LifecycleEvent, text: JSON.stringify(event) };
}

const deliveries = [
  delivery(1, 'accepted', 'accepted'),
  delivery(2, 'started', 'started'),
  delivery(2, 'started', 'started'),
  delivery(3, 'completed', 'succeeded', 'JobFinished'),
];

function testimony(step: Step, cluster: string, at: number): Testimony {
  const where = step === 'work' ? `${cluster}-taskmanager-1-1` : `${cluster}-5d8f9c7b6-x2x4z`;
  return { who: wish?.name ?? '', where, step, at };
}

const testimonies = [
  testimony('begin', CLUSTER, T),
  testimony('work', CLUSTER, T + 9),
  testimony('finish', CLUSTER, T + 10),
];

function process(clusterId: string, podUid: string, startedAt: number, endedAt: number): SeenProcess {
  return { clusterId, component: 'jobmanager', pod: `${clusterId}-x`, podUid, startedAt, endedAt };
}

const deployment = { clusterId: CLUSTER, uid: 'u1', runId: RUN, attempt: 1, from: T };

function evidence(change: Partial<Evidence>, processes = [process(CLUSTER, 'p1', T, T + 30_000)]): Evidence {
  const watch = {
    clusters: new Map([['u1', deployment]]),
    processes: new Map(processes.map((one) => [`${one.podUid} ${one.startedAt}`, one])),
  };
  return {
    wishes: [wish as NonNullable<typeof wish>],
    records: [record],
    deliveries,
    letters: [],
    watch,
    testimonies,
    streams: [],
    ...change,
  };
}

const twice = {
  ...record,
  attempts: [
    ...record.attempts,
    { number: 2, clusterId: SECOND, launchedAt: T + 70_000, removalVerifiedAt: T + 90_000 },
  ],
} as unknown as RunRecord;

describe('the judge of a chaos', () => {
  it('finds nothing in a good run', () => {
    expect(judge(evidence({}))).toMatchObject({ violations: [], spoilt: [], attempts: 1, takenBack: 0 });
  });

  it('knows that an attempt without room is replaced on its record', () => {
    const [first, second] = twice.attempts;
    const skipping = (then: object, before: object = {}): string[] => {
      const attempts = [
        { ...first, ...before },
        { ...second, number: 6, ...then },
      ];
      return judge(evidence({ records: [{ ...twice, attempts } as RunRecord] })).violations.filter((it) =>
        it.includes('after 1'),
      );
    };
    expect(skipping({ capacityWaits: 4 })).toEqual([]);
    expect(skipping({ capacityWaits: 7 }, { capacityWaits: 3 })).toEqual([]);
    expect(skipping({ capacityWaits: 4 }, { capacityWaits: 3 })).toHaveLength(1);
    expect(skipping({})).toHaveLength(1);
  });

  it.each<[string, Evidence]>([
    ['has 0 runs', evidence({ records: [] })],
    ['nobody asked for', evidence({ wishes: [] })],
    ['is cleaning', evidence({ records: [{ ...record, state: 'cleaning' }] })],
    ['ended as failed JobFailed', evidence({ records: [changed({ state: 'failed', reason: 'JobFailed' })] })],
    ['nobody got event', evidence({ deliveries: deliveries.slice(0, 3) })],
    [
      'more than one content',
      evidence({ deliveries: [...deliveries, { ...delivery(2, 'started', 'started'), text: '{}' }] }),
    ],
    ['more than one completion', evidence({ deliveries: [...deliveries, delivery(4, 'completed', 'failed')] })],
    ['on no record', evidence({ deliveries: [...deliveries, delivery(4, 'started', 'started')] })],
    [
      'a letter that nobody explains',
      evidence({ letters: [{ queue: 'dead-letters', body: '{}', reason: 'NotAllowed' }] }),
    ],
    [
      'ran at the same time',
      evidence({ records: [twice] }, [
        process(CLUSTER, 'p1', T, T + 80_000),
        process(SECOND, 'p2', T + 70_000, T + 90_000),
      ]),
    ],
    ['finished 2 times', evidence({ testimonies: [...testimonies, testimony('finish', CLUSTER, T + 20)] })],
    [
      'began again',
      evidence({ records: [twice], testimonies: [...testimonies, testimony('begin', SECOND, T + 70_000)] }),
    ],
    ['begin in', evidence({ testimonies: [...testimonies, testimony('begin', `${wish.name}-bbbbbbbbbb-1`, T)] })],
    ['did its work 0 times', evidence({ testimonies: testimonies.slice(0, 1) })],
    [
      'began before the last was gone',
      evidence({
        records: [
          { ...twice, attempts: twice.attempts.map((it) => ({ ...it, launchedAt: T })) } as unknown as RunRecord,
        ],
      }),
    ],
  ])('says: %s', (what, found) => {
    expect(judge(found).violations).toContainEqual(expect.stringContaining(what));
  });
});

function changed(outcome: object): RunRecord {
  return { ...record, outcome: { ...record.outcome, ...outcome } } as RunRecord;
}
