import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, longest first: begun last, one of them would go on alone. vitest itself goes by their size. */
const LONG = [
  'cluster/failures',
  'cluster/cli',
  'cluster/quota',
  'cluster/applications',
  'cluster/start-once',
  'cluster/lifecycle',
  'local/kubernetes',
  'prove/single-faults/waits-for-key',
  'prove/single-faults/others',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONG.findIndex((name) => moduleId.includes(`/test/${name}.`));
      return index === -1 ? LONG.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
