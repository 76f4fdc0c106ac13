import type { DeploymentId } from '../../../lib/core/ids.ts';
import type { DeploymentRecord, DeploymentRequest } from '../../../lib/deployment/record.ts';
import { isHeld } from '../../../lib/run/prepared.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { keyOf } from '../streams/stream-truth.ts';
import type { World } from '../world.ts';

const METADATA = /^(state\/.*)\/_metadata$/;

/** What deployments have on record. */
interface Known {
  readonly records: ReadonlyMap<DeploymentId, DeploymentRecord>;
  readonly requestOf: (record: DeploymentRecord, number: number) => DeploymentRequest | undefined;
  readonly runsOf: (id: DeploymentId) => readonly RunRecord[];
  readonly check: (invariant: string, holds: boolean, detail: () => string) => void;
}

/** What must hold of the snapshots of deployments: I3 to I6. */
export class SnapshotInvariants {
  private readonly world: World;
  private readonly known: Known;
  /** The number by which somebody last had a run begin elsewhere, by deployment. */
  private readonly redeployed = new Map<DeploymentId, number>();

  constructor(world: World, known: Known) {
    this.world = world;
    this.known = known;
    world.s3.onRemove = (path, by) => this.onRemove(path, by);
  }

  /** I3, I4: a run begins from the newest state, or as somebody ordered. */
  onMade(run: RunRecord): void {
    const record = this.recordOf(run);
    if (record === undefined || run.deployment === undefined) return;
    const { truth } = this.world.streams;
    const path = run.startFrom?.path;
    const request = this.known.requestOf(record, run.deployment.generation);
    if (request !== undefined && this.isOrdered(run, record, request)) return truth.follow(run.name, path);
    const newest = truth.newest(run.name);
    this.known.check(
      'I3, I4: a run begins from the newest state, or as somebody ordered',
      newest === undefined || truth.numberOf(path) >= newest.id,
      () => `${run.name} begins from ${path ?? 'nothing'}, and ${newest?.path ?? ''} is complete`,
    );
    const last = this.begun(record).findLast(({ runId }) => runId !== run.runId);
    const isOver = path !== undefined && last?.outcome?.reason === 'JobFinished';
    this.known.check('I4: a job that finished has no state to go on from', !isOver, () => `${run.name}: ${path ?? ''}`);
  }

  private isOrdered(run: RunRecord, { id }: DeploymentRecord, { wish, job }: DeploymentRequest): boolean {
    const path = run.startFrom?.path;
    const isFirst = this.begun({ id }).length === 1;
    const { savepointRedeploy: number } = wish.nonces;
    // As the operator has it: any other number than the last one asks.
    const isNew = number !== undefined && number !== this.redeployed.get(id);
    if (number !== undefined) this.redeployed.set(id, number);
    if (path !== undefined && path === wish.initialSavepointPath && (isFirst || isNew)) return true;
    return path === undefined && job.state.upgradeMode === 'stateless';
  }

  private recordOf({ deployment }: RunRecord): DeploymentRecord | undefined {
    return deployment === undefined ? undefined : this.known.records.get(deployment.id);
  }

  /** I6: nobody deletes what somebody may still begin from. */
  private onRemove(key: string, by: string): void {
    const [, place] = METADATA.exec(key) ?? [];
    if (place === undefined) return;
    const { truth } = this.world.streams;
    const path = `s3://${place}`;
    const gone = truth.find(path);
    if (gone === undefined) return;
    this.world.sim.tell('state', `${path} is deleted by ${by}`);
    this.known.check('I6: what somebody brought along is theirs', gone.name !== '', () => path);
    const record = [...this.known.records.values()].find(({ name }) => name === gone.name);
    if (record === undefined || this.isOver(record)) return;
    const newest = truth.newest(gone.name);
    const isNeeded = truth.isOfChain(path) && (newest === undefined || newest.id < gone.id);
    this.known.check('I6: the newest state is never deleted', !isNeeded, () => `${path} by ${by}`);
    const pinned = record.snapshots.some(({ snapshot, pinned: is }) => snapshot.path === path && is === true);
    this.known.check('I6: what is pinned is never deleted', !pinned, () => path);
  }

  /** Its state is over: it finished, or somebody wants it gone. */
  private isOver(record: DeploymentRecord): boolean {
    const isDeleted = this.known.requestOf(record, record.wanted)?.wish.state === 'deleted';
    return isDeleted || this.begun(record).at(-1)?.outcome?.reason === 'JobFinished';
  }

  /** Runs that were made, but for those that only wait for their permit, or never got it. */
  private begun({ id }: Pick<DeploymentRecord, 'id'>): readonly RunRecord[] {
    return this.known.runsOf(id).filter((run) => !isHeld(run));
  }

  /** I5: of every savepoint that was asked for it is known what became of it. */
  atRest(record: DeploymentRecord): void {
    const { id, state, snapshots, newest, name } = record;
    if (this.couldNotAsk()) return;
    const purged = this.known.requestOf(record, record.wanted)?.wish.purge === true;
    // Its own record does not tell of them any more.
    if (state === 'deleted' && !purged) return;
    const known = new Set([...snapshots.map(({ snapshot }) => keyOf(snapshot.path)), keyOf(newest?.path ?? 's3://')]);
    const unknown = this.world.s3
      .keys(`state/sp/${id}/`)
      .flatMap((key) => METADATA.exec(key)?.[1] ?? [])
      .filter((place) => !known.has(place));
    this.known.check(
      'I5: every savepoint is known, or gone',
      unknown.length === 0,
      () => `${name}: ${unknown.join(', ')}`,
    );
  }

  /** Storage that gave no answer leaves what it had. */
  private couldNotAsk(): boolean {
    return this.world.sim.faults.struck.some(({ at }) => at.includes('s3 list sp') || at.includes('s3 delete all'));
  }
}
