import type { TestedMutant } from '../mutants.ts';

const ARCHIVES = 'test/delivery/classes/record.test.ts';
const EARLY = { file: 'lib/job/early-task-manager.ts', test: 'test/job/early-task-manager.test.ts' };

/** What keeps a start that is made faster from being another one. */
export const START_TESTED: readonly TestedMutant[] = [
  {
    name: 'a class archive is of the deployment’s own bucket',
    file: 'lib/delivery/classes/archives.ts',
    guard: 'if (archive?.bucket !== bucket) return undefined;',
    without: 'if (archive === undefined) return undefined;',
    test: ARCHIVES,
  },
  {
    name: 'what arrived is what was recorded',
    file: 'lib/delivery/classes/record.ts',
    guard: 'if (pinned?.sha256 !== said.sha256)',
    without: 'if (pinned === undefined)',
    test: ARCHIVES,
  },
  {
    name: 'a cluster is delivered again as it was launched',
    file: 'lib/delivery/classes/fast-delivery.ts',
    guard: 'context.launched === undefined ? await find(job, context.tenant, deps) : context.launched.archive',
    without: 'await find(job, context.tenant, deps)',
    test: 'test/delivery/classes/fast-delivery.test.ts',
  },
  {
    ...EARLY,
    name: 'a JobManager that comes back asks for no TaskManager before it has heard of those that are there',
    guard: ' || hasHighAvailability(options)',
    without: '',
  },
  {
    ...EARLY,
    name: 'no idle TaskManager stays with a kept cluster',
    guard: " || afterEnd.keepCluster !== 'never'",
    without: '',
  },
];
