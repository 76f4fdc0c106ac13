import { defined } from '../../lib/core/defined.ts';
import type { Draws } from './draws.ts';
import type { MainProgram, Program } from './servers/flink.ts';
import type { Quota } from './servers/kubernetes.ts';
import type { DeploymentScript } from './deployments/deployment-script.ts';
import { placeOf } from './sessions/session-workload.ts';
import { isSlow } from './simulation.ts';
import { hasStream } from './streams/stream-workload.ts';
import { tenantOf, type TenantName } from './tenants.ts';

/** One thing that a user asks for, at a time of the world. */
export interface Wish {
  /** Also the run's name, so that its clusters tell whose they are. */
  readonly name: string;
  readonly kind: 'message' | 'upload' | 'schedule';
  /** Whose it is, by its source; absent in a world without tenants. */
  readonly tenant?: TenantName;
  /** Milliseconds from the start. */
  readonly at: number;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Its job goes on until it fails or is canceled. */
  readonly streams: boolean;
  /** Its jar is in a bucket, not in the image. */
  readonly fromBucket: boolean;
  readonly idempotencyKey?: string;
  /** How often its source sends it. */
  readonly sends: number;
  /** A second message with the same key and another payload. */
  readonly conflicts: boolean;
  /** Somebody calls the function in the name of its schedule, with another payload. */
  readonly poisoned?: boolean;
  /** When somebody cancels it; several times for somebody impatient. */
  readonly cancels: readonly number[];
  /** It goes on until somebody cancels it, after the lifecycle of its bucket has taken what was not kept. */
  readonly lastsMonths?: boolean;
}

export interface Workload {
  readonly wishes: readonly Wish[];
  readonly quota: Quota | undefined;
  /** Chance of a fault at each effect. */
  readonly rate: number;
  readonly mostFaults: number;
  /** Every run message is lost but those of the sweeper, which is alone to carry the runs on. */
  readonly losesRunMessages: boolean;
  /** Whether a stream is upgraded by hand beside the runs. */
  readonly hasStream?: boolean;
  /** How many deployments there are beside the runs. */
  readonly deployments?: number;
  /** All that is wanted of them; drawn when absent. */
  readonly script?: DeploymentScript;
}

const POLICIES = ['queue', 'queue', 'replace', 'forbid', 'allow'] as const;

export function workloadOf(draws: Draws, only?: 'deployments'): Workload {
  const workload = mixedWorkload(draws);
  if (only === undefined) return workload;
  const deployments = draws.chance('two deployments', 0.15) ? 2 : 1;
  // A deployment that meets trouble all the time is never upgraded.
  const rate = draws.pick('deployments rate', [0, 0.005, 0.015, 0.04]);
  const quota = deploymentsQuota(draws, deployments);
  return { ...workload, wishes: [], hasStream: false, quota, deployments, rate };
}

/** Each has room for what runs; there may be none for another one beside it. */
function deploymentsQuota(draws: Draws, deployments: number): Workload['quota'] {
  const most = deployments + draws.whole('deployments beside', 0, 1);
  return draws.pick<Workload['quota']>('deployments quota', [
    ...([undefined, undefined, undefined, undefined, undefined, undefined] as const),
    { of: 'deployments', most },
    { of: 'pods', most: 2 * most },
  ]);
}

function mixedWorkload(draws: Draws): Workload {
  const count = draws.whole('wishes', 1, 4);
  const policy = draws.pick('policy', POLICIES);
  const contended = draws.chance('contended', 0.5);
  const names = Array.from({ length: count }, (_, index) => `r${index + 1}`);
  const most = draws.whole('quota most', 1, 2);
  const quota = draws.pick<Workload['quota']>('quota', [
    undefined,
    undefined,
    undefined,
    { of: 'deployments', most },
    // A JobManager and a TaskManager for each cluster.
    { of: 'pods', most: 2 * most },
  ]);
  return {
    wishes: names.map((name) =>
      longOf(draws, wishOf(draws, name, contended ? policy : undefined, quota !== undefined)),
    ),
    quota,
    rate: draws.pick('rate', [0, 0.01, 0.03, 0.08]),
    mostFaults: draws.whole('most faults', 1, 40),
    hasStream: hasStream(draws),
    deployments: draws.chance('a deployment', 0.1) ? 1 : 0,
    losesRunMessages: draws.chance('loses run messages', 0.08),
  };
}

/** A job of the first wish's name goes on for months. */
export function monthsGoBy(draws: Draws): boolean {
  return draws.chance('months go by', 0.03);
}

function longOf(draws: Draws, wish: Wish): Wish {
  if (wish.name !== 'r1' || !monthsGoBy(draws)) return wish;
  const { name, at } = wish;
  const spec = { name, image: 'flink:2.3.0', retry: { attempts: 1 }, job: { kind: 'streaming' } };
  const once = { sends: 1, conflicts: false, cancels: [] };
  const whose = defined({ tenant: wish.tenant });
  return { name, at, ...whose, kind: 'message', spec, streams: true, fromBucket: true, ...once, lastsMonths: true };
}

/** The sweeper passes as the request comes. */
export function comesWithSweep(draws: Draws, name: string): boolean {
  return draws.chance(`${name} comes with a sweep`, 0.08);
}

/** Somebody cancels the run as soon as they see its Deployment. */
export function canceledAsMade(draws: Draws, name: string): boolean {
  return isSlow(draws, 'k8s') && draws.chance(`${name} canceled as it is made`, 0.4);
}

function timeOf(draws: Draws, name: string): number {
  if (comesWithSweep(draws, name))
    return 60_000 * draws.whole(`${name} with sweep`, 1, 2) - draws.between(`${name} before`, 50, 700);
  return draws.between(`${name} at`, 0, draws.chance('all at once', 0.5) ? 200 : 60_000);
}

function wishOf(draws: Draws, name: string, policy: string | undefined, hasQuota: boolean): Wish {
  const kind = draws.pick<Wish['kind']>(`${name} kind`, ['message', 'message', 'upload', 'schedule']);
  const place = placeOf(draws, name, hasQuota);
  const keyed = kind === 'message' && draws.chance(`${name} keyed`, 0.5);
  const at = timeOf(draws, name);
  return {
    name,
    kind,
    at,
    ...defined({ tenant: tenantOf(draws, name) }),
    ...(kind === 'schedule' && draws.chance(`${name} poisoned`, 0.3) ? { poisoned: true } : {}),
    spec: withMemory(draws, name, { ...specOf(draws, name, policy), ...place.spec }),
    fromBucket: place.fromBucket,
    streams: isStreaming(draws, name),
    // Keys are a job's own: two jobs have the day's.
    ...(keyed ? { idempotencyKey: draws.chance('keys are days', 0.5) ? '2026-11-21' : `key-${name}` } : {}),
    sends: draws.whole(`${name} sends`, 1, keyed || kind !== 'message' ? 3 : 1),
    conflicts: keyed && draws.chance(`${name} conflicts`, 0.1),
    cancels: draws.chance(`${name} canceled`, 0.2)
      ? [
          at + draws.between(`${name} canceled at`, 200, 20_000),
          at + draws.between(`${name} canceled again`, 200, 60_000),
        ]
      : [],
  };
}

/** Of jobs that fail, some ran out of memory; of those some get more. */
function withMemory(draws: Draws, name: string, spec: Record<string, unknown>): Record<string, unknown> {
  if (spec['mode'] === 'session' || !draws.chance(`${name} gets more memory`, 0.15)) return spec;
  const resource = { memory: '1g' };
  const memory = {
    factor: draws.pick(`${name} factor`, [1.5, 2]),
    limit: draws.pick(`${name} limit`, ['1g', '2g', '3g']),
  };
  const { retry } = spec as { readonly retry: object };
  return { ...spec, jobManager: { resource }, taskManager: { resource }, retry: { ...retry, memory } };
}

const OUT_OF_MEMORY = 'java.lang.OutOfMemoryError: Java heap space';

function specOf(draws: Draws, name: string, policy: string | undefined): Record<string, unknown> {
  const chance = (what: string, probability: number): boolean => draws.chance(`${name} ${what}`, probability);
  const keep = draws.pick(`${name} keep`, ['never', 'never', 'never', 'on-failure', 'always']);
  return {
    name,
    image: chance('refused', 0.05) ? 'evil:1' : 'flink:2.3.0',
    flinkConfiguration: {
      ...(chance('high availability', 0.15)
        ? { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' }
        : {}),
      // A stream without a deployment.
      ...(isStreaming(draws, name) || isMisnamed(draws, name) ? { 'execution.runtime-mode': 'STREAMING' } : {}),
    },
    deadlines: {
      start: draws.pick(`${name} start`, ['60s', '3m', '10m']),
      run: draws.pick(`${name} run`, ['40s', '2m']),
      main: draws.pick(`${name} main`, ['15s', '1m']),
    },
    retry: {
      attempts: draws.whole(`${name} attempts`, 1, 3),
      backoff: draws.pick(`${name} backoff`, ['1s', '5s', '30s']),
    },
    ...(policy === undefined ? {} : { concurrency: { key: 'the-key', policy } }),
    ...(keep === 'never' ? {} : { afterEnd: { keepCluster: keep, ttl: draws.pick(`${name} ttl`, ['20s', '3m']) } }),
    ...(chance('starts fast', 0.3) ? { fastStart: 'short' } : {}),
    job: {},
  };
}

function isStreaming(draws: Draws, name: string): boolean {
  return draws.chance(`${name} streaming`, 0.1);
}

/** Flink runs it in batch mode, which it says. */
function isBatchMode(draws: Draws, name: string): boolean {
  return !isStreaming(draws, name) && draws.chance(`${name} batch mode`, 0.5);
}

/** Its spec calls it streaming, although it has an end. */
function isMisnamed(draws: Draws, name: string): boolean {
  return isBatchMode(draws, name) && draws.chance(`${name} misnamed`, 0.2);
}

/** What the program of one attempt does. A streaming job does not end by itself, unless it fails. */
export function programOf(draws: Draws, name: string, attempt: number, streams: boolean): Program {
  const it = `${name} attempt ${attempt}`;
  const restAfter = draws.between(`${it} rest`, 300, 4_000);
  const runsAfter = restAfter + draws.between(`${it} runs`, 100, 3_000);
  const endsAfter = runsAfter + draws.between(`${it} lasts`, 100, draws.chance(`${it} long`, 0.2) ? 60_000 : 6_000);
  const how = {
    ...(draws.chance(`${it} deaf`, 0.1) ? { deafToCancel: true } : {}),
    ...(draws.chance(`${name} older`, 0.4) ? { older: true } : {}),
    ...(draws.chance(`${it} quiet`, 0.15) ? { quiet: true } : {}),
    ...(isBatchMode(draws, name) ? { batchMode: true } : {}),
    ...(draws.chance(`${it} main`, 0.4) ? { main: mainOf(draws, it) } : {}),
  };
  const kind = draws.of(`${it} kind`);
  if (kind < 0.74) return { restAfter, runsAfter, ...(streams ? {} : { endsAfter }), end: 'FINISHED', ...how };
  if (kind < 0.86) {
    const root = { message: OUT_OF_MEMORY, stackTrace: OUT_OF_MEMORY };
    const why = draws.chance(`${it} out of memory`, 0.6) ? { result: { rootException: root } } : {};
    return { restAfter, runsAfter, endsAfter, end: 'FAILED', ...why, ...how };
  }
  if (kind < 0.91) return { restAfter, end: 'FAILED', mainFails: true, ...how };
  if (kind < 0.96) return { restAfter, end: 'FINISHED', ...how };
  return { restAfter, runsAfter, end: 'FINISHED', ...how };
}

/** What main() does before, between and after its jobs. */
function mainOf(draws: Draws, it: string): MainProgram {
  const more = draws.whole(`${it} more`, 0, 2);
  return {
    more,
    pause: draws.between(`${it} pause`, 0, 8_000),
    ...(draws.chance(`${it} catches`, 0.2) ? { catches: true } : {}),
    then: draws.pick(`${it} then`, [
      'returns',
      'returns',
      'returns',
      'throws',
      'exits with 0',
      'exits with 3',
      'hangs',
    ]),
  };
}
