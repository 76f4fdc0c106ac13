import { DispatchError } from '../../lib/core/errors.ts';
import type { JobVertex, Requirements, VertexLoad } from '../../lib/flink/job-manager.ts';

/** Two vertices that have what the options say, and one that its program holds at 1. */
const FOLLOWERS = ['a'.repeat(32), 'b'.repeat(32)] as const;
const FIXED = 'c'.repeat(32);
/** Key groups. */
const MOST = 24;

/** How many subtasks the vertices of one job have, and what its adaptive scheduler was asked for. */
export class ScaledJob {
  /** Every parallelism that the vertices which follow the options ever had, in order. */
  readonly history: number[];
  private asked: Requirements;
  private now: Readonly<Record<string, number>>;

  constructor(parallelism: number) {
    this.now = { [FOLLOWERS[0]]: parallelism, [FOLLOWERS[1]]: parallelism, [FIXED]: 1 };
    const bounds = Object.entries(this.now).map(([id, upperBound]) => [id, { lowerBound: 1, upperBound }]);
    this.asked = Object.fromEntries(bounds) as Requirements;
    this.history = [parallelism];
  }

  get parallelism(): number {
    return this.now[FOLLOWERS[0]] ?? 0;
  }

  /** Whether its vertices have what was asked for. */
  get isSettled(): boolean {
    return Object.entries(this.asked).every(([id, { upperBound }]) => this.now[id] === upperBound);
  }

  /** Whether what its program has set is as it was. */
  get keepsFixed(): boolean {
    return this.asked[FIXED]?.upperBound === 1 && this.now[FIXED] === 1;
  }

  /** `load`: in subtasks that work all of their time; `measured`: of so many vertices it is known. */
  loadOf(id: string, load: number, measured: number = FOLLOWERS.length): VertexLoad | undefined {
    if (id !== FIXED && Object.keys(this.now).indexOf(id) >= measured) return undefined;
    const share = load / (this.now[id] ?? 1);
    return { busy: id === FIXED ? 0.1 : Math.min(1, share), backPressured: 0 };
  }

  requirements(): Requirements {
    return this.asked;
  }

  /** @throws DispatchError `FlinkRefused` as JobResourceRequirements.validate has it */
  require(wanted: Requirements): void {
    const ids = Object.keys(this.now);
    const isWhole = ids.every((id) => id in wanted) && Object.keys(wanted).every((id) => ids.includes(id));
    const isSound = Object.values(wanted).every(
      ({ lowerBound, upperBound }) => lowerBound >= 1 && lowerBound <= upperBound && upperBound <= MOST,
    );
    if (!isWhole || !isSound) throw new DispatchError('FlinkRefused', 'the requirements are not valid');
    this.asked = wanted;
  }

  /** What was asked for comes true. */
  apply(): void {
    if (this.isSettled) return;
    const uppers = Object.entries(this.asked).map(([id, { upperBound }]) => [id, upperBound]);
    this.now = Object.fromEntries(uppers) as Readonly<Record<string, number>>;
    this.history.push(this.parallelism);
  }

  vertices(): readonly JobVertex[] {
    return Object.entries(this.now).map(([id, parallelism]) => ({
      ...{ id, name: `vertex ${id.slice(0, 1)}`, parallelism },
      ...{ maxParallelism: MOST, allRun: true },
    }));
  }
}
