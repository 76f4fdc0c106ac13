import type { RunId } from '../../../core/ids.ts';
import type { Sample } from '../../samples/sample.ts';

/** What looks saw of an attempt's job while it ran: at most MOST_POINTS samples, whatever its age. */
export interface SampleStore {
  /**
   * Adds one. Of two who add at once, one may be lost.
   * @throws DispatchError `StorageUnavailable`, `PermissionDenied`
   */
  add(runId: RunId, attempt: number, sample: Sample): Promise<void>;
}

/** All that is kept of an attempt, oldest first; empty where nothing is. @throws DispatchError as `add` */
export type ReadSamples = (runId: RunId, attempt: number) => Promise<readonly Sample[]>;

/** Two objects: the newest as they came, and fewer of what was before them. */
export function samplesKey(runId: RunId, attempt: number, part: 'recent' | 'older'): string {
  return `runs/${runId}/samples/${attempt}/${part}.jsonl`;
}
