import type { DeploymentId, RunId } from '../../../lib/core/ids.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { Accepted } from '../../../lib/dispatch/accept.ts';
import { orderDeployment } from '../../../lib/dispatch/deployment/order.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { isRunMessage, parseQueueMessage } from '../../../lib/run/store/run-queue.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import type { ScaledJob } from '../../fakes/scaled-job.ts';
import { deploymentEvents } from '../../prove/deployments/told.ts';
import { FUNCTIONS } from '../../prove/functions.ts';
import type { Program } from '../../prove/servers/flink.ts';
import type { Violation } from '../../prove/invariants.ts';
import { Invocation } from '../../prove/simulation.ts';
import { FOREVER, jobMessage } from './simulated.ts';
import { DIRECTORIES, StreamsWorld, type Fate } from './streams-world.ts';

const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
const EVERY = 10_000;
/** At a job that nobody stops: in its first minute, and from then on. */
const LOOKS_EVERY = [5_000, 30_000] as const;
/** What the dispatcher can send to a JobManager. */
const PREPARABLE = 's3://jars/job.jar';

/** Of a stream, as `accept` takes it. */
export function stream(change: Record<string, unknown> = {}, job: Record<string, unknown> = {}): RunRequest {
  const { jarURI = job['prepareUpgrade'] === true ? PREPARABLE : 'local:///opt/job.jar' } = job;
  return jobMessage({
    name: 'orders',
    flinkConfiguration: DIRECTORIES,
    ...change,
    job: { entryClass: 'a.B', kind: 'streaming', ...job, jarURI },
  });
}

/** Fates of runs: milliseconds from when its job runs. */
export function endsAfter(ms: number, end: Program['end'] = 'FAILED'): Fate {
  return { endsAfter: FOREVER.restAfter + ms, end };
}

/** Its job completes no checkpoint in the time of a test. */
export const TAKES_NONE: Fate = { pace: [7 * DAY, 7 * DAY] };

/** Its job does not take the state that it begins from. */
export const REFUSED: Fate = {
  ...endsAfter(4_000),
  result: {
    rootException: {
      message: 'org.apache.flink.util.StateMigrationException: The new serializer must not be incompatible.',
      stackTrace: 'org.apache.flink.util.StateMigrationException: The new serializer must not be incompatible.',
    },
  },
};

type Options = NonNullable<ConstructorParameters<typeof StreamsWorld>[0]>;

/**
 * A world with one deployment, whose jobs complete a checkpoint every ten seconds; the sweeper comes every minute.
 * Functions hardly wait by themselves: two that wait for the same would both look at it again and again.
 */
export class DeploymentsWorld extends StreamsWorld {
  override programs: readonly Program[] = [{ ...FOREVER, checkpointInterval: EVERY }];
  private sweepsMade = 0;

  constructor(fateOf: (run: number) => Fate = () => ({}), options: Options = { tells: false, inlineWait: 1_000 }) {
    super(options);
    this.fateOf = (run) => ({ pace: [EVERY, EVERY], ...fateOf(run) });
    this.delayLooks();
    this.sweepLater();
  }

  /** Looks at a job that just runs come late: each costs a test time, and finds little. */
  private delayLooks(): void {
    const { runQueue } = this;
    const send = runQueue.send.bind(runQueue);
    runQueue.send = (body, delay, ...more) => {
      const message = parseQueueMessage(body);
      const least = delay > 0 && isRunMessage(message) ? this.leastWait(message.runId) : 0;
      send(body, Math.max(delay, least), ...more);
    };
  }

  private leastWait(runId: RunId): number {
    const { state, stopRequested, cancelRequested, attempts } = this.record(runId);
    if (state !== 'running' || stopRequested !== undefined || cancelRequested !== undefined) return 0;
    const { runningAt = this.sim.now } = attempts.at(-1) ?? {};
    return this.sim.now - runningAt < MINUTE ? LOOKS_EVERY[0] : LOOKS_EVERY[1];
  }

  get deployed(): DeploymentRecord {
    const [record] = this.deployments.invariants.records.values();
    if (record === undefined) throw new Error('there is no deployment');
    return record;
  }

  /** What its events tell, in order. */
  get told(): readonly string[] {
    return deploymentEvents(this).map(({ data }) => `${data.state} ${data.generation}`);
  }

  get violations(): readonly Violation[] {
    return this.invariants.violations;
  }

  /** What the jobs of its runs began from, and the newest state that there was, in order. */
  get begun(): DeploymentsWorld['streams']['truth']['begun'] {
    return this.streams.truth.begun;
  }

  /** Whether the job of a run has completed a snapshot. */
  hasCompleted(run: number): boolean {
    const jobs = this.runs[run - 1]?.attempts.map(({ jobId }) => jobId) ?? [];
    return this.streams.truth.completedBy(jobs) !== undefined;
  }

  /** Of the last attempt of a run, from 1. */
  clusterOf(run: number): ClusterRef {
    const { runId, attempts } = this.runOf(run);
    return this.refOf(runId, attempts.length);
  }

  /** Its job completes a checkpoint, now. */
  checkpointOf(run: number): string {
    return this.checkpointNow(this.runOf(run).runId);
  }

  private runOf(number: number): RunRecord {
    const run = this.runs[number - 1];
    if (run === undefined) throw new Error(`no run ${number}`);
    return run;
  }

  /** Nobody does anything for that long. */
  letGoBy(ms: number): void {
    this.sim.skip(ms);
  }

  /** So long that what has come to rest would have moved: its first and its last two minutes are played. */
  async passLong(ms: number): Promise<void> {
    await this.pass(2 * MINUTE);
    this.letGoBy(ms - 4 * MINUTE);
    await this.pass(2 * MINUTE);
  }

  /** Until that is so, and no longer than `most` milliseconds. */
  async passUntil(isSo: (world: this) => boolean, most: number): Promise<void> {
    const until = this.sim.now + most;
    while (!isSo(this) && (this.sim.nextAt ?? Infinity) <= until) await this.sim.step();
  }

  /** The job of the run that runs. */
  get scaled(): ScaledJob {
    const run = this.runs.find(({ state }) => state === 'running');
    const job = this.streams.truth.scaled.get(run?.attempts.at(-1)?.jobId ?? '');
    if (job === undefined) throw new Error('no job runs that can be rescaled');
    return job;
  }

  /** As a person says it. */
  operate(how: Parameters<typeof orderDeployment>[1]): ReturnType<typeof orderDeployment> {
    const who = { by: 'a person', once: `${JSON.stringify(how)} ${this.clock.now()}` };
    return orderDeployment(this.deployed.id, how, who, this.dispatch);
  }

  private sweepLater(): void {
    this.sim.after(MINUTE, () => {
      this.sweepsMade += 1;
      const invocation = new Invocation(`sweep ${this.sweepsMade}`);
      void FUNCTIONS.sweepRuns(this, 100, invocation);
      this.sweepLater();
    });
  }
}

export function idOf({ deployment }: Accepted): DeploymentId {
  if (deployment === undefined) throw new Error('no deployment');
  return deployment.id;
}
