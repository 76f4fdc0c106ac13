import type { RunId } from '../../../core/ids.ts';
import type { Sample } from '../../samples/sample.ts';

/** Which one of an attempt's samples: they are numbered from 1. */
export interface SampleName {
  readonly runId: RunId;
  readonly attempt: number;
  readonly number: number;
}

/** What looks saw of an attempt's job while it ran: at most MOST_SAMPLES, whatever its age. */
export interface SampleStore {
  /**
   * Keeps one, in the place of an older one where there are many. Again with the same number it replaces the first.
   * @throws DispatchError `StorageUnavailable`, `PermissionDenied`
   */
  keep(name: SampleName, sample: Sample): Promise<void>;
}

/** All that is kept of an attempt, oldest first; empty where nothing is. @throws DispatchError as `keep` */
export type ReadSamples = (runId: RunId, attempt: number) => Promise<readonly Sample[]>;

export function samplesPrefix(runId: RunId, attempt: number): string {
  return `runs/${runId}/samples/${attempt}/`;
}
