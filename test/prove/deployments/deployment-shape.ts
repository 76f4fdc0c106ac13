import { isDeepStrictEqual } from 'node:util';
import { omit } from '../../../lib/core/omit.ts';
import type { DeploymentEvent } from '../../../lib/deployment/event.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { Check } from '../record-invariants.ts';

/** Bytes of the largest record of a deployment with a few snapshots. */
const MOST_BYTES = 64_000;

/** What holds of every record of a deployment, by itself. */
export function checkDeploymentShape(
  check: Check,
  record: DeploymentRecord,
  isDelivered: (id: string) => boolean,
): void {
  const { id, name, events, sequence, generations, wanted, reached, run } = record;
  const inTurn = events.every((event, n) => n === 0 || event.sequence > (events[n - 1]?.sequence ?? 0));
  check('I7: sequences only grow', inTurn && (events.at(-1)?.sequence ?? 0) === sequence, () => name);
  for (const event of events) {
    const told = event.publishedAt === undefined || isDelivered(`${id}.${event.sequence}`);
    check('I7: recorded as published only what was published', told, () => `${name}: ${event.sequence}`);
  }
  const bytes = JSON.stringify(record).length;
  check('a record is bounded', bytes <= MOST_BYTES, () => `${name}: ${bytes} bytes`);
  const known = generations.some(({ number }) => number === wanted) && reached <= wanted;
  check('what is wanted is on record', known, () => `${name}: ${reached} of ${wanted}`);
  const isSaid = run?.stop?.why === 'delete' || (run?.stop?.why === 'unstable' && run.unstable !== undefined);
  const isWanted = run?.stop === undefined || isSaid || wanted > run.generation;
  check('I12: a run is stopped only for what is wanted', isWanted, () => `${name}: ${JSON.stringify(run)}`);
}

/** What holds of every change of it. */
export function checkDeploymentChange(
  check: Check,
  last: DeploymentRecord,
  next: DeploymentRecord,
  isDelivered: (id: string) => boolean,
): void {
  const { name } = next;
  const same = last.id === next.id && last.createdAt === next.createdAt;
  check('a record is never made twice', same, () => name);
  check('I9: what is wanted never goes back', next.wanted >= last.wanted, () => `${name}: ${next.wanted}`);
  check('I9: what is reached never goes back', next.reached >= last.reached, () => `${name}: ${next.reached}`);
  for (const generation of last.generations) {
    const now = next.generations.find(({ number }) => number === generation.number);
    const kept = now === undefined || isDeepStrictEqual(bare(now), bare(generation));
    check('a generation never changes', kept, () => `${name}: ${generation.number}`);
  }
  /** Published ones may be, also with the write that follows their publishing. */
  const isForgotten = ({ sequence }: DeploymentEvent): boolean =>
    next.events.every((event) => event.sequence !== sequence) && isDelivered(`${next.id}.${sequence}`);
  const lost = last.events.filter((event) => !isKept(event, next) && !isForgotten(event));
  check('I7: the outbox only grows', lost.length === 0, () => `${name}: ${JSON.stringify(lost)}`);
  const startsFrom = next.run?.id !== last.run?.id || next.run?.startFrom?.path === last.run?.startFrom?.path;
  check('I2: what a run starts from is decided once', startsFrom, () => name);
  check('I5: of each snapshot that was asked for it is known what became of it', isNoted(last, next), () => name);
  check('I12: how a run is asked to end is decided once', isCarriedOn(last, next), () => name);
}

/** Of the same run; when the one way has failed, a delete may follow at once. */
function isCarriedOn({ run: before }: DeploymentRecord, { run: now }: DeploymentRecord): boolean {
  if (before?.stop === undefined || now?.stop === undefined || before.id !== now.id) return true;
  const isOther = now.stop.why === 'delete' && before.stop.why !== 'delete';
  return isOther || isDeepStrictEqual(before.stop, now.stop);
}

/** What was under way is so still, or is complete, or is to be removed. */
function isNoted({ request }: DeploymentRecord, next: DeploymentRecord): boolean {
  const { directory } = request ?? {};
  if (directory === undefined || next.state === 'deleted') return true;
  const places = [next.request?.directory, ...next.leftovers.map((left) => left.directory)];
  return places.includes(directory) || next.snapshots.some(({ snapshot }) => snapshot.path.startsWith(`${directory}/`));
}

function bare(generation: DeploymentRecord['generations'][number]): object {
  return omit(generation, 'superseded', 'rejected');
}

function isKept(event: DeploymentEvent, { events }: DeploymentRecord): boolean {
  const now = events.find(({ sequence }) => sequence === event.sequence);
  if (now === undefined) return false;
  if (event.publishedAt !== undefined && now.publishedAt !== event.publishedAt) return false;
  return isDeepStrictEqual(omit(now, 'publishedAt'), omit(event, 'publishedAt'));
}
