import type { RunId } from '../../../lib/core/ids.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { SessionLease } from '../../../lib/run/session-lease.ts';
import { clusterId } from '../../fakes/ids.ts';
import type { Program } from '../../prove/servers/flink.ts';
import type { SessionProcess } from '../../prove/sessions/session-jobs.ts';
import { THEIRS } from '../../prove/sessions/session-workload.ts';
import { World } from './simulated.ts';

export const JOB = { jarURI: 's3://jars/job.jar', entryClass: 'a.B', args: ['--x', 'y z'], parallelism: 2 };
export const TEAM: ClusterRef = { namespace: 'flink', clusterId: clusterId(THEIRS) };
/** Parts of a spec: the job runs in a session of somebody else, or in one of a pool. */
export const inTeam = { job: JOB, session: { clusterId: THEIRS } };
export const inPool = { job: JOB, mode: 'session', session: { pool: 'plain' } };

/** Milliseconds from the submission of their job. */
export const ENDLESS: Program = { restAfter: 0, runsAfter: 300, end: 'FINISHED' };
export const QUICK: Program = { ...ENDLESS, endsAfter: 1_500 };

/** A world whose jobs are quick. */
export class SessionsWorld extends World {
  override programs: readonly Program[] = [QUICK];

  standTeam(): Promise<void> {
    this.stand(TEAM, { kind: 'pool', pool: 'theirs', ledger: 'another-ledger' });
    return this.pass(10_000);
  }

  /** The JobManager of a session that answers. */
  processOf({ clusterId }: ClusterRef): SessionProcess {
    const process = this.sessions.flink.processes.standing(clusterId);
    if (process === undefined) throw new Error(`no JobManager of ${clusterId}`);
    return process;
  }

  /** It comes again, with nothing of what it had in memory. */
  restartJobManager(ref: ClusterRef): void {
    const { pod } = this.processOf(ref);
    this.kubernetes.crash(pod, 137);
    this.kubernetes.startPod(pod);
  }

  /** Somebody else's job, with its jar. */
  addForeign(ref: ClusterRef, id: string, program: Program = ENDLESS): void {
    this.sessions.flink.addForeign(this.processOf(ref), id, program);
  }

  jarsOf(ref: ClusterRef): readonly string[] {
    return [...this.processOf(ref).jars.values()].map(({ name }) => name);
  }

  liveJobs(ref: ClusterRef): readonly string[] {
    return [...this.processOf(ref).jobs.values()].flatMap(({ jobId, end }) => (end === undefined ? [jobId] : []));
  }

  /** Jobs of runs that Flink took, by id. */
  get submitted(): readonly string[] {
    return this.sessions.flink.processes.jobs.flatMap(({ jobId, ours }) => (ours ? [jobId] : []));
  }

  get mains(): number {
    return this.asked(/^main\(\) of .* begins in /);
  }

  get leases(): readonly SessionLease[] {
    return this.s3.keys('ledger/sessions/').map((key) => JSON.parse(this.s3.text(key) ?? '') as SessionLease);
  }

  poolRef(runId: RunId): ClusterRef {
    return this.refOf(runId, this.record(runId).attempts.length);
  }
}

/** A world in which the session of somebody else stands; `safe`: with high availability. */
export async function withTeam({ safe = false } = {}): Promise<SessionsWorld> {
  const world = new SessionsWorld(safe ? { certain: ['theirs has high availability'] } : {});
  await world.standTeam();
  return world;
}
