import { parseFlinkMemory } from '../../../lib/job/spec/quantity.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { cancelOf } from '../../../lib/run/stop-request.ts';
import type { World } from '../world.ts';
import { onRecord } from './on-record.ts';

const SIZE = 'taskmanager.memory.process.size';
const bytes = (text: string | undefined): number => parseFlinkMemory(text ?? '') ?? 0;

/** What holds of jobs that get more memory when theirs runs out. */
export class Remedies {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    onRecord(world, (record) => this.check(record));
  }

  private check(record: RunRecord): void {
    const { name, job, attempts, outcome } = record;
    const limit = job?.retry.memory?.limit;
    const { invariants } = this.world;
    const changed = attempts.flatMap(({ remedy = [] }) => remedy);
    if (job === undefined || limit === undefined) {
      invariants.check('nobody gets more memory who did not ask', changed.length === 0, () => name);
      return;
    }
    const size = job.options[SIZE];
    const detail = (): string => `${name}: ${size ?? '-'} of ${limit}`;
    invariants.check('a process has never more memory than its limit', bytes(size) <= limit, detail);
    const grows = changed.every(({ from, to }) => bytes(to) > bytes(from));
    invariants.check('what ran out of memory has more the next time', grows, () => JSON.stringify(changed));
    const last = attempts.at(-1);
    const isOver = outcome?.rootException?.includes('OutOfMemoryError') === true && outcome.state === 'failed';
    const mayHaveMore = bytes(size) < limit && last?.jobFinished !== true && cancelOf(record) === undefined;
    invariants.check('what ran out of memory ends at its limit', !isOver || !mayHaveMore, detail);
  }
}
