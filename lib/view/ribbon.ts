import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import type { DeploymentEvent } from '../deployment/event.ts';
import type { DeploymentRecord } from '../deployment/record.ts';

/** A run of a stream, in its time. */
export interface RibbonRun {
  readonly id: string;
  readonly generation: number;
  readonly from: Instant;
  /** Absent: it goes on. */
  readonly to?: Instant;
}

const BEGINS: readonly DeploymentEvent['type'][] = ['started', 'upgraded', 'resumed', 'rolled-back'];
const ENDS: readonly DeploymentEvent['type'][] = ['suspended', 'finished', 'deleted'];

/** The runs of a stream one after the other, as far as its record's events tell, which are the newest; the oldest first. */
export function ribbonOf({ events, run, updatedAt }: DeploymentRecord): readonly RibbonRun[] {
  const runs: { readonly id: string; readonly generation: number; readonly from: Instant; to?: Instant }[] = [];
  const close = (at: Instant): void => {
    const last = runs.at(-1);
    if (last !== undefined) last.to ??= at;
  };
  for (const { type, time, generation, run: id } of events) {
    if (ENDS.includes(type)) close(time);
    if (!BEGINS.includes(type) || id === undefined || runs.some((one) => one.id === id)) continue;
    close(time);
    runs.push({ id, generation, from: time });
  }
  if (run !== undefined && !runs.some(({ id }) => id === run.id)) {
    close(run.at);
    runs.push({ id: run.id, generation: run.generation, from: run.runningAt ?? run.at });
  }
  return runs.map(({ to, ...one }) => ({
    ...one,
    ...defined({ to: to ?? (one.id === run?.id ? undefined : updatedAt) }),
  }));
}
