import type { V1ConfigMap } from '@kubernetes/client-node';
import type { DeploymentId } from '../../../lib/core/ids.ts';
import { generationOf, type DeploymentRecord } from '../../../lib/deployment/record.ts';
import { isHeld, isPrepared } from '../../../lib/run/prepared.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { WITHOUT } from '../streams/operators.ts';
import type { World } from '../world.ts';

/** What deployments have on record. */
interface Known {
  readonly records: ReadonlyMap<DeploymentId, DeploymentRecord>;
  readonly runsOf: (id: DeploymentId) => readonly RunRecord[];
  readonly check: (invariant: string, holds: boolean, detail: () => string) => void;
}

/** What must hold of runs that are made before their turn, and of those that are still being removed when theirs has come. */
export class PreparedInvariants {
  private readonly world: World;
  private readonly known: Known;

  constructor(world: World, known: Known) {
    this.world = world;
    this.known = known;
  }

  onRecord(next: DeploymentRecord, last: DeploymentRecord): void {
    this.checkLeft(next, last);
    this.checkReady(next, last);
    this.checkCompared(next, last);
  }

  /** Whether a run that is not gone may give its place away: to one that was prepared, or because it never had its permit. */
  mayLeave(run: RunRecord, { run: successor, leaving }: DeploymentRecord): boolean {
    if (isHeld(run) && run.outcome !== undefined) return true;
    return successor?.prepared === true && leaving?.id === run.runId && this.canBeginNoMore(run);
  }

  /** Of a run that is not gone: nothing of it goes on, and its deployment says that it leaves, or it has no permit. */
  isOver(run: RunRecord): boolean {
    const leaving = this.recordOf(run)?.leaving?.id === run.runId;
    return isHeld(run) || (leaving && this.canBeginNoMore(run));
  }

  /** I1: one run has the permit, and nothing of the others goes on. */
  onPermit(run: RunRecord): void {
    const record = this.recordOf(run);
    this.check('I1: the run that the record names has the permit', record?.run?.id === run.runId, () => run.runId);
    const others = this.known.runsOf(record?.id ?? ('' as DeploymentId)).filter(({ runId }) => runId !== run.runId);
    const going = others.filter((other) => this.goesOn(other));
    this.check('I1: nothing goes on when the next run gets its permit', going.length === 0, () => namesOf(going));
    const open = others.filter((other) => other.state !== 'closed' && !isHeld(other) && !this.canBeginNoMore(other));
    this.check('I1: nothing can begin when the next run gets its permit', open.length === 0, () => namesOf(open));
  }

  /** I1: a program begins with its permit, and alone. */
  onStart(run: RunRecord, others: readonly RunRecord[]): void {
    const named = this.recordOf(run)?.run?.id === run.runId;
    const may = !isPrepared(run) || (!isHeld(run) && named);
    this.check('I1: a prepared program begins with its permit', may, () => run.runId);
    const beside = others.filter((other) => this.goesOn(other));
    this.check('I1: one job of a deployment at a time', beside.length === 0, () => `${run.runId}: ${namesOf(beside)}`);
  }

  /** What leaves is forgotten when it is gone. */
  private checkLeft({ leaving, name, id }: DeploymentRecord, { leaving: before }: DeploymentRecord): void {
    if (before === undefined || before.id === leaving?.id) return;
    const run = this.known.runsOf(id).find(({ runId }) => runId === before.id);
    this.check('I1: a run that leaves is proven gone', run?.state === 'closed', () => `${name}: ${before.id}`);
  }

  /** I12: a job is ended for another one when that is ready, or it is said why it is not to be waited for. */
  private checkReady(next: DeploymentRecord, last: DeploymentRecord): void {
    const { run, wanted, name } = next;
    const { run: before } = last;
    const { why } = run?.stop ?? {};
    if (before === undefined || before.id !== run?.id || before.stop !== undefined) return;
    if (why !== 'upgrade' && why !== 'restart') return;
    const made = this.known.runsOf(next.id).filter(({ deployment }) => deployment?.generation === wanted);
    const isRejected = made.some((one) => isHeld(one) && one.outcome?.reason === 'ApplicationFailed');
    this.check('I12: no job is ended for a program that has failed', !isRejected, () => name);
    const asks = generationOf(next, wanted)?.plan.prepareUpgrade === true && next.unprepared !== wanted;
    if (!asks) return;
    const isReady = made.some((one) => one.runId === next.next?.id && one.prepared?.readyAt !== undefined);
    this.check('I12: a job is ended when the next one is ready', isReady, () => name);
    this.checkState(next, made);
  }

  /** I13: there is nothing to compare before its plan is there. */
  private checkCompared({ id, name, next }: DeploymentRecord, { next: before }: DeploymentRecord): void {
    if (next?.checked === undefined || before?.checked !== undefined) return;
    const run = this.known.runsOf(id).find(({ runId }) => runId === next.id);
    this.check('I13: what is compared is ready', run?.prepared?.readyAt !== undefined, () => `${name}: ${next.id}`);
  }

  /** I13: a program that lacks an operator of a state that was looked at takes no job's place. */
  private checkState(record: DeploymentRecord, made: readonly RunRecord[]): void {
    const { next, name, wanted } = record;
    const { plan } = generationOf(record, wanted) ?? {};
    if (plan?.checkState !== true || plan.upgradeMode === 'stateless') return;
    const { checked } = next ?? {};
    this.check('I13: a job is ended when its state was compared', checked !== undefined, () => name);
    const lacks = made.some(({ runId, job }) => runId === next?.id && job?.args.includes(WITHOUT));
    const loses = checked?.path !== undefined && checked.result !== 'unknown' && lacks;
    this.check('I13: no job is ended for a program that would lose its state', !loses, () => name);
  }

  private canBeginNoMore(run: RunRecord): boolean {
    return !this.goesOn(run) && !run.attempts.some(({ clusterId, number }) => this.mayStart(run, clusterId, number));
  }

  private goesOn({ attempts }: RunRecord): boolean {
    return attempts.some(({ clusterId }) => this.world.flink.isGoing(clusterId));
  }

  /** Its JobManager would begin the program, and has its permit. */
  private mayStart({ prepared }: RunRecord, clusterId: string, number: number): boolean {
    if (prepared !== undefined && number === 1) return false;
    const { uid } = this.world.kubernetes.find('Deployment', clusterId) ?? {};
    const permit = this.world.kubernetes.find('ConfigMap', `start-permit-${clusterId}`);
    const { data = {} } = (permit?.object ?? {}) as V1ConfigMap;
    return uid !== undefined && permit?.owners.includes(uid) === true && data['start'] !== undefined;
  }

  private recordOf({ deployment }: RunRecord): DeploymentRecord | undefined {
    return deployment === undefined ? undefined : this.known.records.get(deployment.id);
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.known.check(invariant, holds, detail);
  }
}

function namesOf(runs: readonly RunRecord[]): string {
  return runs.map(({ runId, state }) => `${runId} is ${state}`).join(', ');
}
