import { deploymentIdFor, type RunId } from '../../../lib/core/ids.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { StatePlan } from '../../../lib/job/job.ts';
import { currentAttempt, hasAttempt } from '../../../lib/run/machine.ts';
import type { Attempt, RunRecord } from '../../../lib/run/record.ts';
import type { Snapshot } from '../../../lib/state/snapshot.ts';
import { flinkMetadata } from '../../fakes/flink-metadata.ts';
import type { Program } from '../../prove/servers/flink.ts';
import type { StreamJob } from '../../prove/streams/stream-job.ts';
import { keyOf } from '../../prove/streams/stream-truth.ts';
import type { Conduct } from '../../prove/streams/streams.ts';
import { FOREVER, jobMessage, World } from './simulated.ts';

export const SAVEPOINTS = 's3://state/sp';
export const CHECKPOINTS = 's3://state/chk';
export const DIRECTORIES = {
  'execution.checkpointing.savepoint-dir': SAVEPOINTS,
  'execution.checkpointing.dir': CHECKPOINTS,
};
export const HIGH_AVAILABILITY = {
  'high-availability.type': 'kubernetes',
  'high-availability.storageDir': 's3://ha/x',
};
const CLUSTER = /^(.*)-[0-9a-f]{10}-\d+$/;

const PLAN: StatePlan = {
  upgradeMode: 'savepoint',
  fallback: 'none',
  format: 'CANONICAL',
  savepointDeadline: 60_000,
  savepointDirectory: SAVEPOINTS,
  checkpointDirectory: CHECKPOINTS,
  probation: 60_000,
  rollback: 'automatic',
  history: { count: 5, age: 1_000_000 },
};

interface StreamOptions {
  readonly plan?: Partial<StatePlan>;
  readonly attempts?: number;
  readonly startFrom?: Snapshot;
  readonly options?: Readonly<Record<string, string>>;
}

/** How the job of one run goes, where not as that of all others. */
export type Fate = Partial<Program> & Partial<Omit<Conduct, 'name'>>;

/** A world whose jobs are streams: they go on for ever, and complete what they are asked for. */
export class StreamsWorld extends World {
  /** Of the runs of deployments, from 1, and of a run of its own, 0. */
  fateOf: (run: number) => Fate = () => ({});
  override programs: readonly Program[] = [FOREVER];

  constructor(...options: ConstructorParameters<typeof World>) {
    super(...options);
    const { flink, streams } = this;
    const { programOf } = flink;
    flink.programOf = (clusterId) => ({ ...programOf(clusterId), ...this.fateOf(this.numberOf(clusterId)) });
    streams.conductOf = (clusterId) => {
      const [, name] = CLUSTER.exec(clusterId) ?? [];
      const number = this.numberOf(clusterId);
      if (name === undefined) return undefined;
      const fate = this.fateOf(number);
      return { name, ...fate, howOf: (question) => this.fateOf(number).howOf?.(question) ?? 'completes' };
    };
  }

  /** Those of deployments, in the order in which they were made. */
  get runs(): readonly RunRecord[] {
    return this.records.filter(({ deployment }) => deployment !== undefined);
  }

  /** A run as a deployment makes one, which is not there. */
  async streamRun({ plan, attempts = 1, startFrom, options }: StreamOptions = {}): Promise<RunId> {
    const flinkConfiguration = { ...DIRECTORIES, ...options };
    const { runId } = await this.request(jobMessage({ flinkConfiguration, retry: { attempts, backoff: '1s' } }));
    const stored = await this.accept.ledger.read(runId);
    if (stored?.value.state !== 'accepted') throw new Error('not accepted');
    const { value, version } = stored;
    const id = deploymentIdFor({ tenant: undefined, target: 't', namespace: 'n', name: 'stream' });
    const job = { ...value.job, kind: 'streaming', state: { ...PLAN, ...plan } } as const;
    const deployment = { id, generation: 1 };
    await this.accept.ledger.replace({ ...value, job, deployment, ...(startFrom && { startFrom }) }, version);
    return runId;
  }

  attemptOf(runId: RunId): Attempt {
    const run = this.record(runId);
    if (!hasAttempt(run)) throw new Error('no attempt');
    return currentAttempt(run);
  }

  /** A checkpoint of its job, now; answers its path. */
  checkpointNow(runId: RunId): string {
    const path = this.jobOf(runId).complete();
    if (path === undefined) throw new Error('its checkpoints have no directory');
    return path;
  }

  /** A savepoint of its job, now, of which its JobManager has not told. */
  savepointNow(runId: RunId, path: string): void {
    this.jobOf(runId).completeAt(path, true);
  }

  /** State that somebody has completed there. */
  putState(path: string, checkpointId: number): void {
    this.streams.truth.bring(path, checkpointId, flinkMetadata(checkpointId));
  }

  hasState(path: string): boolean {
    return this.s3.objects.has(`${keyOf(path)}/_metadata`);
  }

  /** Its JobManager is killed, and the kubelet does not come to start it again. */
  crash(runId: RunId): void {
    const { clusterId } = this.attemptOf(runId);
    for (const pod of this.kubernetes.all('Pod').filter(({ labels }) => labels['app'] === clusterId)) {
      pod.container = { state: 'terminated', reason: 'Error', exitCode: 137, restarts: 0, finishedAt: this.sim.now };
    }
  }

  /** Its JobManager is killed, and comes again at once with nothing of what it had in memory. */
  kill({ clusterId }: ClusterRef): void {
    const { kubernetes } = this;
    for (const pod of kubernetes.all('Pod').filter(({ labels }) => labels['app'] === clusterId))
      if (pod.labels['component'] !== 'taskmanager') kubernetes.crash(pod, 137, true);
  }

  private jobOf(runId: RunId): StreamJob {
    const { number } = this.attemptOf(runId);
    const job = this.flink.streamOn(this.refOf(runId, number));
    if (job === undefined) throw new Error('no job that goes on');
    return job;
  }

  private numberOf(clusterId: string): number {
    const index = this.runs.findIndex(({ attempts }) => attempts.some((attempt) => attempt.clusterId === clusterId));
    return index + 1;
  }
}
