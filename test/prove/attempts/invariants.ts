import type { V1ConfigMap } from '@kubernetes/client-node';
import { hasHighAvailability } from '../../../lib/job/high-availability.ts';
import { isPrepared } from '../../../lib/run/prepared.ts';
import type { Attempt, RunRecord } from '../../../lib/run/record.ts';
import { LEDGER, LONGEST_STEP } from '../functions.ts';
import type { Stored } from '../servers/kubernetes-objects.ts';
import type { Put } from '../servers/s3.ts';
import type { World } from '../world.ts';
import { onRecord } from './on-record.ts';

/** What must hold of an attempt's one start, and of the marker by which the sweeper finds its run. */
export class AttemptInvariants {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    onRecord(world, (record, put) => this.onRecord(record, put));
  }

  private onRecord(record: RunRecord, { by }: Put): void {
    this.checkMarker(record);
    const attempt = record.attempts.at(-1);
    if (attempt === undefined || record.job?.mode === 'session') return;
    const deployment = this.world.kubernetes.find('Deployment', attempt.clusterId);
    if (deployment !== undefined && deployment.deletingAt === undefined) {
      this.checkPermit(record, attempt, deployment);
      this.checkUid(record, attempt, deployment, by);
    }
    this.checkUnbegun(record, attempt);
  }

  /** Whose message is lost is found by nothing else. */
  private checkMarker({ runId, tenant, state, name }: RunRecord): void {
    const place = tenant === undefined ? runId : `${tenant}/${runId}`;
    const stands = state === 'closed' || this.world.s3.objects.has(`${LEDGER}/live/${place}`);
    this.check('a run that goes on has its marker', stands, () => `${name} is ${state}`);
  }

  /** Of a Deployment that stays: one that goes starts nothing any more. */
  private checkPermit(record: RunRecord, attempt: Attempt, { uid }: Stored): void {
    const { name, state, job, outcome } = record;
    const { clusterId, startRevokedAt, jobManager } = attempt;
    const permit = this.world.kubernetes.find('ConfigMap', `start-permit-${clusterId}`);
    const { data = {} } = (permit?.object ?? {}) as V1ConfigMap;
    const isGranted = permit?.owners.includes(uid) === true && data['start'] !== undefined;
    // While it is launching, the record says that the permit is about to be withdrawn; of one that Kubernetes gives no
    // answer about nothing is claimed.
    const isWithdrawn = startRevokedAt !== undefined && state !== 'launching' && outcome?.state !== 'unknown';
    this.check('a start that was withdrawn stays so', !isWithdrawn || !isGranted, () => `${name} is ${state}`);
    const isOnly = jobManager !== undefined && !isPrepared(record) && !hasHighAvailability(job?.options ?? {});
    const mayBegin = isGranted && !this.couldNotAsk(clusterId);
    this.check('after the first JobManager none begins', !isOnly || !mayBegin, () => `${name} is ${state}`);
  }

  /** Kubernetes may have refused to withdraw it. */
  private couldNotAsk(clusterId: string): boolean {
    return this.world.sim.faults.struck.some(
      ({ at, kind }) => kind === 'rights-gone' || (at.includes('k8s ') && at.includes(clusterId)),
    );
  }

  /** One that somebody made of the same text is another cluster. */
  private checkUid(
    { name, runId, state, stepError }: RunRecord,
    attempt: Attempt,
    { uid, createdAt }: Stored,
    by: string,
  ): void {
    const { deploymentUid = uid } = attempt;
    // What another run or a deployment asks of it is written without a look.
    const looks =
      by.startsWith(`runs run ${runId.slice(0, 6)} `) &&
      stepError === undefined &&
      (state === 'starting' || state === 'running');
    const isForeign = deploymentUid !== uid && this.world.sim.now - createdAt > LONGEST_STEP;
    const what = 'an attempt goes on with its own Deployment only';
    this.check(what, !looks || !isForeign, () => `${name}: ${uid} instead of ${deploymentUid}`);
  }

  private checkUnbegun({ name, outcome }: RunRecord, { clusterId }: Attempt): void {
    if (outcome?.message.includes('its JobManager had not started') !== true) return;
    const has = this.world.flink.executions.some((execution) => execution.clusterId === clusterId);
    // Of what somebody else put in its place it says nothing.
    const isCopied = this.world.copied.has(clusterId);
    this.check('what is said not to have started has not', !has || isCopied, () => `${name}: ${clusterId}`);
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }
}
