import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { runIdFor, type DeploymentId } from '../../core/ids.ts';
import {
  generationOf,
  type DeploymentRecord,
  type DeploymentRequest,
  type Generation,
  type GenerationWish,
} from '../../deployment/record.ts';
import { scaledText } from '../../deployment/scale/scaled-job.ts';
import { slotLimit } from '../../job/policy/policy-resources.ts';
import { scaleOf, withParallelism } from '../../job/scale.ts';
import type { DispatchDeps } from '../deps.ts';
import { applyStored } from './accept-deployment.ts';
import { requestOf } from './start-run.ts';

/** What a person wants of a deployment that is there. */
export type Order =
  | { readonly kind: 'suspend' | 'resume' | 'restart' | 'savepoint' }
  /** Its own snapshots go too: `purge`. */
  | { readonly kind: 'delete'; readonly purge: boolean }
  /**
   * The last stable generation again, from the state that it left, or another snapshot by its path. What was done since is
   * done again where a newer state is known: that has to be said.
   */
  | { readonly kind: 'rollback'; readonly to?: string; readonly acceptDuplicates: boolean }
  /** The wanted job with another parallelism. */
  | { readonly kind: 'scale'; readonly parallelism: number }
  /** The job of a generation, default the wanted one; `from`: what it starts from, by its path. */
  | { readonly kind: 'upgrade'; readonly to?: number; readonly from?: string };

type Deps = Pick<DispatchDeps, 'deployments' | 'runQueue' | 'clock' | 'log'>;

/**
 * Makes the order a generation of its own: durable when it returns, and carried out by the functions.
 * `once`: of this order alone; the same again is the same order.
 * @throws DispatchError `InvalidSpec` for an order that cannot be followed, `JobNotFound` without such a deployment
 */
export async function orderDeployment(
  id: DeploymentId,
  order: Order,
  { by, once }: { readonly by: string; readonly once: string },
  deps: Deps,
): Promise<{ readonly generation: number }> {
  const record = (await deps.deployments.read(id))?.value;
  if (record === undefined) throw new DispatchError('JobNotFound', `there is no deployment ${id}`);
  const wanted = generationIn(record, record.wanted);
  const base = baseOf(order, record, wanted);
  const wish = wishFor(order, record, wanted);
  const request = await requestOf(record, base.number, deps);
  const kept = await deps.deployments.keepRequest({
    ...request,
    requestId: runIdFor(`order\n${id}\n${once}`),
    wish,
    by,
    at: deps.clock.now(),
    ...jobFor(order, base, request),
    ...(order.kind === 'rollback' && { rejects: record.run?.generation ?? record.last?.generation ?? record.wanted }),
  });
  const applied = await applyStored(kept.request, kept.kind === 'exists', deps);
  return { generation: applied.generation?.number ?? record.wanted };
}

/** A parallelism is part of the job, and nothing else of it is changed. */
function jobFor(
  order: Order,
  { job: sameJob, scale, plan: { autoscale } }: Generation,
  { job }: DeploymentRequest,
): Pick<DeploymentRequest, 'job' | 'sameJob' | 'unscaled'> {
  const same = { job, sameJob, ...defined({ unscaled: scale?.of }) };
  if (order.kind !== 'scale') return same;
  const { parallelism } = order;
  const most = slotLimit(job.options);
  if (most !== undefined && parallelism > most) {
    throw refused('parallelism', `${parallelism} is more than the ${most} slots that the job may have`);
  }
  if (autoscale !== undefined && (parallelism < autoscale.min || parallelism > autoscale.max)) {
    throw refused(
      'parallelism',
      `job.autoscale has it between ${autoscale.min} and ${autoscale.max}: ${parallelism} is not`,
    );
  }
  const options = withParallelism(job.options, parallelism);
  const unscaled = scale?.of ?? sameJob;
  return { job: { ...job, options }, sameJob: scaledText(unscaled, scaleOf(options)), unscaled };
}

function baseOf(order: Order, record: DeploymentRecord, wanted: Generation): Generation {
  if (order.kind === 'upgrade' && order.to !== undefined) return generationIn(record, order.to);
  return order.kind === 'rollback' ? stableOf(record, wanted) : wanted;
}

function stableOf({ name, stable, generations }: DeploymentRecord, wanted: Generation): Generation {
  const found = stable && generations.find(({ number }) => number === stable.generation);
  if (found !== undefined && found.job !== wanted.job) return found;
  const order = `flink-dispatch deployments upgrade ${name} --to <generation>`;
  throw refused('generation', `no other generation than the wanted one was stable last: ${order} goes to any of them`);
}

function generationIn(record: DeploymentRecord, number: number): Generation {
  const found = generationOf(record, number);
  if (found !== undefined) return found;
  const known = record.generations.map((one) => one.number).join(', ');
  throw refused('to', `generation ${number} is not on record: there are ${known}`);
}

function wishFor(order: Order, record: DeploymentRecord, { wish, plan }: Generation): GenerationWish {
  const { state, done } = record;
  if (state === 'deleted' || wish.state === 'deleted') {
    throw refused('state', 'the deployment is deleted: send its spec again to make it anew');
  }
  const { nonces } = wish;
  switch (order.kind) {
    case 'scale':
      return wish;
    case 'suspend':
      return { ...wish, state: 'suspended' };
    case 'resume':
      return { ...wish, state: 'running' };
    case 'restart':
      return { ...wish, state: 'running', nonces: { ...nonces, restart: next(nonces.restart, done.restart) } };
    case 'savepoint': {
      if (plan.savepointDirectory === undefined) throw refused('job', 'it has no directory for savepoints');
      if (state !== 'running') throw refused('state', `it is ${state}: only a running job can take a savepoint`);
      const savepointTrigger = next(nonces.savepointTrigger, done.savepointTrigger);
      return { ...wish, nonces: { ...nonces, savepointTrigger } };
    }
    case 'delete':
      return { ...wish, state: 'deleted', ...defined({ purge: order.purge || undefined }) };
    case 'upgrade':
      return order.from === undefined ? { ...wish, state: 'running' } : startingFrom(order.from, record, wish);
    case 'rollback':
      return startingFrom(snapshotFor(order, record), record, wish);
  }
}

function startingFrom(path: string, { done }: DeploymentRecord, wish: GenerationWish): GenerationWish {
  const savepointRedeploy = next(wish.nonces.savepointRedeploy, done.savepointRedeploy);
  return { ...wish, state: 'running', nonces: { ...wish.nonces, savepointRedeploy }, initialSavepointPath: path };
}

function snapshotFor(order: Extract<Order, { kind: 'rollback' }>, record: DeploymentRecord): string {
  const { run, newest, snapshots, stable } = record;
  const path = order.to ?? stable?.left?.path;
  if (path === undefined) throw refused('to', 'it left no snapshot: name the one to start from');
  if (snapshots.some(({ snapshot, deletingAt }) => snapshot.path === path && deletingAt !== undefined)) {
    throw refused('to', `${path} is being deleted`);
  }
  const isNewest = run === undefined && newest?.path === path;
  if (isNewest || order.acceptDuplicates) return path;
  const message = `what the stream did after ${path} is done again: say so with --accept-duplicates`;
  throw refused('acceptDuplicates', message);
}

/** Another number than any that was acted upon. */
function next(...numbers: readonly (number | undefined)[]): number {
  return Math.max(0, ...numbers.map((number) => number ?? 0)) + 1;
}

function refused(field: string, message: string): DispatchError {
  return new DispatchError('InvalidSpec', message, { field });
}
