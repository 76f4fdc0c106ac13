import { DispatchError } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import { accept, type AcceptDeps, type Accepted, type Again } from '../dispatch/accept.ts';
import { withTenant } from '../job/config/tenants.ts';
import type { Exactly } from '../job/prepare.ts';
import { hasHidden } from '../run/asked.ts';
import type { RunRecord } from '../run/record.ts';
import type { AgainKind } from '../trigger/order.ts';
import type { RunRequest } from '../trigger/request.ts';
import { againIdentity } from './again-id.ts';
import { knownRun } from './find-run.ts';
import type { Orderer } from './order-run.ts';
import type { Scope } from './scope.ts';

/**
 * Makes a new run of one that was, whatever became of that: `rerun` of what was asked for then, with today's stored job, jar
 * and defaults; `replay` of the very job, with the same bytes of its jar, image, arguments and configuration. The same order
 * again is the same run.
 * @throws DispatchError `RunNotFound`, also for another tenant's run; `InvalidSpec` for what is gone, naming it; as `accept`
 * for what is not allowed any more
 */
export async function runAgain(
  { kind, runId }: { readonly kind: AgainKind; readonly runId: RunId },
  { scope, once }: Pick<Orderer, 'scope' | 'once'>,
  deps: AcceptDeps,
): Promise<Accepted> {
  const run = await knownRun(runId, scope, deps.ledger);
  if (run.deployment !== undefined) {
    const message = `run ${runId} is of deployment ${run.deployment.id}, which starts its runs itself: ask it to restart or roll back`;
    throw new DispatchError('InvalidSpec', message, { field: 'run' });
  }
  const request: RunRequest = {
    source: run.source,
    identity: againIdentity(kind, runId, once),
    isAnswered: true,
    ...(kind === 'rerun' ? askedFor(run) : run.asked),
  };
  if (withTenant(request, deps.prepare.deployment).tenant !== run.tenant) {
    const message = `the source of run ${runId} belongs to another tenant by now`;
    throw new DispatchError('NotAllowed', message, { field: 'source' });
  }
  const again: Again = {
    of: runId,
    ...(kind === 'replay' && { exactly: sameJob(await originOf(run, scope, deps), deps) }),
  };
  const accepted = await accept(request, deps, again);
  deps.log.info(`${kind} ${accepted.result}`, { runId: accepted.runId, of: runId });
  return accepted;
}

/** What is the same in all is judged by what it was first called. */
async function originOf(run: RunRecord, scope: Scope, deps: Pick<AcceptDeps, 'ledger'>): Promise<RunRecord> {
  let origin = run;
  while (origin.again?.exactly === true) origin = await knownRun(origin.again.of, scope, deps.ledger);
  return origin;
}

function askedFor({ runId, asked }: RunRecord): Pick<RunRequest, 'spec' | 'job'> {
  if (asked === undefined) throw gone(runId, 'what was asked for was not kept');
  if (hasHidden(asked)) throw gone(runId, 'its spec had secrets, which are not kept');
  return asked;
}

/** @throws DispatchError for what of it is not the same any more */
function sameJob({ runId, job, attempts }: RunRecord, { prepare }: AcceptDeps): Exactly {
  if (job === undefined) throw gone(runId, 'it was rejected before it had a job');
  if (hasHidden(job)) throw gone(runId, 'its job had secrets, which are not kept');
  if (job.mode === 'session') throw gone(runId, 'its session has an image of its own, which may be another by now');
  const { jar } = job;
  if (jar.uri.startsWith('https:')) throw gone(runId, `the bytes of ${jar.uri} were not kept`);
  const digest = attempts.findLast(({ imageDigest }) => imageDigest !== undefined)?.imageDigest;
  const image = job.options[IMAGE] ?? '';
  if (!image.includes('@') && digest === undefined) {
    const bundles = prepare.deployment.targets[job.target]?.jarDelivery.kind === 'bundle';
    const why = bundles ? 'it ran with an image that was made of it' : 'no JobManager of it was seen';
    throw gone(runId, `which image '${image}' was then is not known: ${why}`);
  }
  const exact = image.includes('@') ? image : `${image.replace(/:[^/:]*$/, '')}@${digest ?? ''}`;
  return { job, image: exact };
}

const IMAGE = 'kubernetes.container.image.ref';

function gone(runId: RunId, what: string): DispatchError {
  return new DispatchError('InvalidSpec', `run ${runId} cannot be done again: ${what}`, { field: 'run' });
}
