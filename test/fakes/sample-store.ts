import type { RunId } from '../../lib/core/ids.ts';
import { fewer } from '../../lib/run/samples/merge.ts';
import { MOST_POINTS, type Sample } from '../../lib/run/samples/sample.ts';
import { readSamples, writeSamples } from '../../lib/run/samples/sample-text.ts';
import type { SampleStore } from '../../lib/run/store/history/sample-store.ts';
import { Faults } from './faults.ts';

export class FakeSampleStore implements SampleStore {
  readonly faults = new Faults<keyof SampleStore>();
  /** By `<run>/<attempt>`. */
  readonly kept = new Map<string, readonly Sample[]>();

  add(runId: RunId, attempt: number, sample: Sample): Promise<void> {
    return this.faults.around('add', () => {
      const name = `${runId}/${attempt}`;
      const others = (this.kept.get(name) ?? []).filter(({ at }) => at !== sample.at);
      const [stored = sample] = readSamples(writeSamples([sample]));
      this.kept.set(name, fewer([...others, stored], MOST_POINTS));
    });
  }

  read = (runId: RunId, attempt: number): Promise<readonly Sample[]> =>
    Promise.resolve(this.kept.get(`${runId}/${attempt}`) ?? []);
}
