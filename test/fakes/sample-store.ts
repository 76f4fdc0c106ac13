import type { RunId } from '../../lib/core/ids.ts';
import { placeOf } from '../../lib/run/samples/places.ts';
import type { Sample } from '../../lib/run/samples/sample.ts';
import { readSamples, writeSample } from '../../lib/run/samples/sample-text.ts';
import { samplesPrefix, type SampleName, type SampleStore } from '../../lib/run/store/history/sample-store.ts';
import { Faults } from './faults.ts';

export class FakeSampleStore implements SampleStore {
  readonly faults = new Faults<keyof SampleStore>();
  private readonly kept = new Map<string, string>();

  keep({ runId, attempt, number }: SampleName, sample: Sample): Promise<void> {
    const key = samplesPrefix(runId, attempt) + placeOf(number);
    return this.faults.around('keep', () => void this.kept.set(key, writeSample(sample)));
  }

  read = (runId: RunId, attempt: number): Promise<readonly Sample[]> => {
    const found = [...this.kept].filter(([key]) => key.startsWith(samplesPrefix(runId, attempt)));
    const samples = found.flatMap(([, text]) => readSamples(text));
    return Promise.resolve(samples.sort((a, b) => a.at - b.at));
  };
}
