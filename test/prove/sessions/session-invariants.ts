import { ownerIn } from '../../../lib/kubernetes/cluster/owner-metadata.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { Execution } from '../servers/flink.ts';
import { LEDGER } from '../functions.ts';
import type { Kubernetes } from '../servers/kubernetes.ts';
import type { Stored } from '../servers/kubernetes-objects.ts';
import { OWNER } from './session-people.ts';
import type { SessionJob } from './session-jobs.ts';
import type { SessionFlink } from './session-flink.ts';
import { isSession, THEIRS } from './session-workload.ts';
import { isCalledEndless, isOfOneKey, leaseIn } from '../record-invariants.ts';
import type { World } from '../world.ts';

const LEASE = /^sessions\/[^/]+\/[^/]+\/(.+)\.json$/;

/** Whose object it is: Kubernetes' and people's own are none of the product's. */
export function isTheirs({ labels }: Stored): boolean {
  return labels['app'] === THEIRS;
}

/** High availability's data of a session whose name somebody else has taken since: nobody can tell whose it is. */
export function isUnderForeign({ kind, labels, owners }: Stored, kubernetes: Kubernetes): boolean {
  const app = labels['app'] ?? '';
  if (kind !== 'ConfigMap' || owners.length > 0 || !isSession(app)) return false;
  const holder = kubernetes.find('Deployment', app);
  return holder !== undefined && !isPoolDeployment(holder);
}

export function isPoolDeployment({ annotations }: Stored): boolean {
  return ownerIn({ annotations: { ...annotations } })?.kind === 'pool';
}

/** What must hold of runs in sessions, and of sessions, judged by what Flink and Kubernetes truly did. */
export class SessionInvariants {
  private readonly records = new Map<string, RunRecord>();
  private readonly world: World;
  private readonly flink: SessionFlink;
  /** When who looked into a session last. */
  private readonly looks = new Map<string, number>();
  /** When the look was, on whose word a session is being stopped. */
  private readonly stopsSince = new Map<string, number>();

  constructor(world: World, flink: SessionFlink) {
    this.world = world;
    this.flink = flink;
    const { onPut } = world.s3;
    world.s3.onPut = (put) => {
      onPut(put);
      const record = world.invariants.recordOf(put);
      if (record !== undefined) this.onRecord(record);
      const [, clusterId] = LEASE.exec(put.key) ?? [];
      if (clusterId === undefined) return;
      world.invariants.read(put.key, () => this.onLease(clusterId, leaseIn(put.text), put.by));
    };
    world.kubernetes.watchers.push({
      created: () => undefined,
      deleted: (object, by) => this.onDeleted(object, by),
      gone: () => undefined,
    });
    flink.processes.onSubmit = (job) => this.onSubmit(job);
    flink.processes.onStart = (job) => this.onStart(job);
    flink.onLook = (clusterId, by) => this.looks.set(`${clusterId} ${by}`, world.sim.now);
    flink.onCancel = ({ ours, jobId }, by) =>
      this.check('nobody else’s job is touched', ours, () => `${jobId} by ${by}`);
    flink.onJarRemoved = (name, ours, by) => this.check('nobody else’s jar is touched', ours, () => `${name} by ${by}`);
    flink.onMain = (jobId, beside) =>
      this.check('one function at a time submits', beside.length === 0, () => `${jobId}: beside ${beside.join(', ')}`);
    flink.onJarUploaded = (name, sha256) => this.onUpload(name, sha256);
    world.flink.prepared.onJarUploaded = (name, sha256) => this.onUpload(name, sha256);
  }

  /** Run and attempt of a job. */
  attemptOf(jobId: string): { readonly record: RunRecord; readonly number: number } | undefined {
    for (const record of this.records.values()) {
      const attempt = record.attempts.find((one) => one.jobId === jobId);
      if (attempt !== undefined) return { record, number: attempt.number };
    }
    return undefined;
  }

  /** A cluster of its own began a run's program; jobs in sessions of the same key may not run beside it. */
  onExecution({ clusterId }: Execution, record: RunRecord): void {
    this.checkTurn(record, clusterId);
  }

  atRest(): void {
    const { s3 } = this.world;
    const left = s3.keys(`${LEDGER}/sessions/`);
    this.check('no lease is left', left.length === 0, () => left.join(', '));
    for (const record of this.records.values()) this.checkTruth(record);
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }

  private onRecord(record: RunRecord): void {
    this.records.set(record.runId, record);
    if (record.job?.mode !== 'session') return;
    for (const { number, jobId, removalVerifiedAt } of record.attempts) {
      if (removalVerifiedAt !== undefined) this.checkGone(record, number, jobId);
    }
    if (record.state === 'ended' && record.outcome?.reason === 'OutcomeUnknown') this.checkUnknown(record);
    if (record.state !== 'closed') return;
    const live = this.liveJobsOf(record);
    this.check('closed when no job of it runs', live.length === 0, () => `${record.name}: ${live.join(', ')}`);
  }

  private checkUnknown({ name, attempts, job }: RunRecord): void {
    const { jobId = '' } = attempts.at(-1) ?? {};
    const shown = this.flink.processes.standing(sessionOf(job))?.jobs.get(jobId);
    this.check('what the session shows is known', shown === undefined, () => `${name}: ${shown?.end ?? 'RUNNING'}`);
  }

  private checkGone(record: RunRecord, number: number, jobId: string): void {
    const live = this.flink.processes.jobs.some((job) => job.jobId === jobId && this.flink.processes.isRunning(job));
    this.check('an attempt is gone when its job is', !live, () => `${record.name} attempt ${number}`);
    const process = this.flink.processes.standing(sessionOf(record.job));
    const name = `${record.runId}-${number}.jar`;
    const left = [...(process?.jars.values() ?? [])].some((jar) => jar.name === name);
    this.check('an attempt is gone when its jar is', !left, () => `${record.name}: ${name}`);
  }

  private liveJobsOf({ attempts }: RunRecord): readonly string[] {
    const ids = new Set<string>(attempts.map(({ jobId }) => jobId));
    return this.flink.processes.jobs
      .filter((job) => ids.has(job.jobId) && this.flink.processes.isRunning(job))
      .map(({ jobId }) => jobId);
  }

  private onSubmit({ ours, jobId }: SessionJob): void {
    if (!ours) return;
    const { jobs } = this.flink.processes;
    const times = jobs.filter((job) => job.jobId === jobId).length;
    this.check('a job is submitted once', times === 1, () => `${jobId} ${times} times`);
    const found = this.attemptOf(jobId);
    const attempt = found?.record.attempts.at(-1);
    const noted = attempt?.jobId === jobId && attempt.submission !== undefined;
    this.check('a submission is on record before it is made', noted, () => jobId);
    if (found === undefined) return;
    const { record } = found;
    this.check('nothing starts after the end', record.state !== 'closed', () => `${jobId}: ${record.name} is closed`);
    const finished = jobs.find((job) => isOf(job, record) && job.end === 'FINISHED');
    // Of one that its spec calls endless, and that is gone, nobody thinks that it finished.
    const mayRunAgain = finished === undefined || record.job?.kind === 'streaming';
    this.check('a job that finished is never run again', mayRunAgain, () => `${record.name}: ${jobId}`);
  }

  private onStart(job: SessionJob): void {
    if (!job.ours) return;
    const record = this.attemptOf(job.jobId)?.record;
    if (record === undefined) return;
    const { processes } = this.flink;
    this.check('no job of a closed run is recovered', record.state !== 'closed', () => `${record.name}: ${job.jobId}`);
    const beside = processes.jobs.filter((one) => one !== job && isOf(one, record) && processes.isRunning(one));
    this.check('one live job of a run at a time', beside.length === 0, () => `${record.name}: ${job.jobId}`);
    this.checkTurn(record, job.jobId);
  }

  private checkTurn(record: RunRecord, what: string): void {
    const { concurrency } = record.job ?? {};
    if (concurrency === undefined || concurrency.policy === 'allow') return;
    for (const other of this.records.values()) {
      const theirs = other.job?.concurrency;
      if (other.runId === record.runId || !isOfOneKey(other, record) || theirs?.policy === 'allow') continue;
      const live = this.liveJobsOf(other);
      this.check('one run of a key at a time', live.length === 0, () => `${what} beside ${live.join(', ')}`);
    }
  }

  private onUpload(name: string, sha256: string): void {
    const record = this.records.get(name.split('-')[0] ?? '');
    const kept = record?.job?.jar.pinned?.sha256;
    this.check('the jar that was accepted is the one that runs', kept === sha256, () => `${name}: ${sha256}`);
  }

  private onLease(clusterId: string, { state }: ReturnType<typeof leaseIn>, by: string): void {
    if (state !== 'stopping') this.stopsSince.delete(clusterId);
    else if (!this.stopsSince.has(clusterId)) {
      this.stopsSince.set(clusterId, this.looks.get(`${clusterId} ${by}`) ?? this.world.sim.now);
    }
  }

  private onDeleted({ kind, name, namespace }: Stored, by: string): void {
    if (kind !== 'Deployment' || !isSession(name) || by === 'someone else' || by === OWNER) return;
    const { processes } = this.flink;
    const running = processes.jobs.filter((job) => job.clusterId === name && processes.isRunning(job));
    const ours = running.filter((job) => job.ours);
    this.check('no session is removed under a job', ours.length === 0, () => `${name} by ${by}`);
    // Of what somebody submits between the look and the end nobody can know.
    const seen = running.filter(({ submittedAt }) => submittedAt < (this.stopsSince.get(name) ?? Infinity));
    this.check('no session is removed under a job', seen.length === 0, () => `${name} by ${by}, by hand`);
    this.check('a session is removed under a lease', this.stopsSince.has(name), () => `${name} by ${by}`);
    const lease = this.world.s3.text(`${LEDGER}/sessions/default/${namespace}/${name}.json`);
    const runs =
      lease === undefined ? [] : Object.keys(this.world.invariants.read(name, () => leaseIn(lease))?.runs ?? {});
    this.check('no session is removed under a run', runs.length === 0, () => `${name}: ${runs.join(', ')}`);
  }

  private checkTruth(record: RunRecord): void {
    const { job, name, outcome } = record;
    if (job?.mode !== 'session' || outcome === undefined) return;
    const ends = this.flink.processes.jobs.filter((one) => isOf(one, record)).map(({ end }) => end);
    const detail = (): string => `${name}: ${outcome.state} ${outcome.reason}, but Flink: ${ends.join(', ')}`;
    if (outcome.state === 'succeeded') this.check('an outcome is true', ends.includes('FINISHED'), detail);
    if (outcome.reason === 'JobFailed') this.check('an outcome is true', ends.includes('FAILED'), detail);
    const finished = record.attempts.find(({ jobId }) => {
      return this.flink.processes.jobs.some((one) => one.jobId === jobId && one.end === 'FINISHED');
    });
    if (outcome.state !== 'failed' || finished === undefined || isCalledEndless(record, finished)) return;
    // The deadline came first.
    this.check('an outcome is true', outcome.reason === 'RunDeadlineExceeded', detail);
  }
}

function isOf({ jobId }: SessionJob, { attempts }: RunRecord): boolean {
  return attempts.some((attempt) => attempt.jobId === jobId);
}

function sessionOf(job: RunRecord['job']): string {
  return job?.mode === 'session' ? job.session.clusterId : '';
}
