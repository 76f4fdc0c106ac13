import type { Mutant, TestedMutant } from '../mutants.ts';

const PLAN = 'lib/deployment/scale/plan.ts';
const DECIDE = 'lib/deployment/scale/rescale.ts';
const ASK = 'lib/dispatch/deployment/rescale.ts';
const WORLD = 'test/dispatch/deployment/rescale.test.ts';
const UNIT = 'test/deployment/rescale.test.ts';
const SCALE = 'test/deployment/scale.test.ts';

/** Guards of a parallelism that is changed while the job runs. */
export const RESCALE_MUTANTS: readonly TestedMutant[] = [
  {
    name: 'R5 a load changes a job no more often than its window',
    test: 'test/deployment/autoscale.test.ts',
    file: 'lib/deployment/scale/autoscale.ts',
    guard: 'return last === undefined || now - last >= window;',
    without: 'return true;',
  },
  {
    name: 'R5 a load asks for no more while there is no room for what was asked for',
    test: 'test/deployment/autoscale.test.ts',
    file: 'lib/deployment/scale/autoscale.ts',
    guard: 'record.reached === wanted.number && last?.parallelism !== wanted.scale?.parallelism',
    without: 'false',
  },
  {
    name: 'R5 a load of before a time in which nobody asked says nothing',
    test: 'test/deployment/recommend.test.ts',
    file: 'lib/deployment/scale/recommend.ts',
    guard: 'next - at > GAP * every',
    without: 'false',
  },
  {
    name: 'R5 a load that nobody measures takes no subtasks away',
    test: 'test/dispatch/deployment/autoscale.test.ts',
    file: 'lib/dispatch/deployment/look-at-load.ts',
    guard: 'measured.length < loads.length ? [1] : ',
    without: '',
  },
  {
    name: 'R5 a load asks for nothing of a job that is not stable',
    test: 'test/deployment/autoscale.test.ts',
    file: 'lib/deployment/scale/autoscale.ts',
    guard: 'wanted.scale?.inPlace === true && isStable(record, own)',
    without: 'wanted.scale?.inPlace === true',
  },
  {
    name: 'R5 a parallelism that a load asked for ends no job',
    test: 'test/dispatch/deployment/autoscale.test.ts',
    file: 'lib/deployment/scale/autoscale.ts',
    guard: 'if (!isOver || wanted.autoscaledAt === undefined) return record;',
    without: 'if (isOver || !isOver) return record;',
  },
  {
    name: 'R5 a later program goes on with the parallelism that the load asked for',
    test: 'test/dispatch/deployment/autoscale.test.ts',
    file: 'lib/deployment/scale/scaled-job.ts',
    guard: 'scale === undefined || !before',
    without: 'scale === undefined || before',
  },
  {
    name: 'R1 a rescale that another restart goes with is an upgrade',
    test: UNIT,
    file: DECIDE,
    guard: '  if (restart !== undefined && restart !== done.restart) return false;\n',
    without: '',
  },
  {
    name: 'R1 a savepoint that is being taken comes first',
    test: UNIT,
    file: DECIDE,
    guard: '  if (request !== undefined && request.until > now) return waitForRequest(given, request, now);\n',
    without: '',
  },
  {
    name: 'R2 a job that may have any parallelism is not left with it',
    test: WORLD,
    file: DECIDE,
    guard: "return own.rescale === undefined || settled?.generation === wanted.number ? undefined : 'upgrade';",
    without: 'return own.rescale === undefined || settled?.generation === wanted.number ? undefined : undefined;',
  },
  {
    name: 'R2 what was asked for counts when the job runs so',
    test: WORLD,
    file: ASK,
    guard: 'if (isAsked && runsWith(vertices, plan.requirements))',
    without: 'if (isAsked)',
  },
  {
    name: 'R2 an answer counts for the generation that was asked for',
    test: UNIT,
    file: DECIDE,
    guard: 'run.rescale?.generation === generation ? run : undefined',
    without: 'run.rescale !== undefined ? run : undefined',
  },
  {
    name: 'R3 what the program set is noted once',
    test: SCALE,
    file: PLAN,
    guard: 'const fixed = job.fixed ?? ',
    without: 'const fixed = ',
  },
  {
    name: 'R3 of a job with parallelism 1 nothing is taken to follow the options',
    test: SCALE,
    file: PLAN,
    guard: '  if (isDefault && job.fixed === undefined && from.parallelism === 1)',
    without: '  if (isDefault && job.fixed === undefined && from.parallelism === 0)',
  },
  {
    name: 'R3 an override that is taken back is for another run to show',
    test: SCALE,
    file: PLAN,
    guard: 'Object.keys(from.vertices ?? {}).find((id) => id in requirements && to.vertices?.[id] === undefined)',
    without: 'undefined',
  },
  {
    name: 'R4 the next attempt begins with the new parallelism',
    test: WORLD,
    file: ASK,
    guard: '  if (!(await note(run, plan, { job, generation }, deps))) return undefined;\n',
    without: '',
  },
  {
    name: 'I12 a rescale is no restart that counts against a generation',
    test: UNIT,
    file: 'lib/deployment/stable.ts',
    guard: 'return restarts - rescales;',
    without: 'return restarts;',
  },
];

/** Worlds in which a load changes a job. */
const FOLLOWED = [8, 39, 47, 50, 67, 80, 103, 115, 132, 123, 150];

/** Those that the simulation has to notice. */
export const RESCALE_PLAYED: readonly Mutant[] = [
  {
    name: 'R1 a job runs on while it is given another parallelism',
    file: DECIDE,
    guard: '  if (!differInScaleAlone(generationOf(record, own.generation), wanted)) return false;\n',
    without: '  return false;\n',
    only: 'deployments',
  },
  {
    name: 'R3 vertices of which the program says how many stay as they are',
    file: PLAN,
    guard: 'to.vertices?.[id] ?? (fixed?.includes(id) === false ? to.parallelism : upperBound)',
    without: 'to.vertices?.[id] ?? (fixed === undefined ? upperBound : to.parallelism)',
    only: 'deployments',
  },
  {
    name: 'R5 a load has no job above its bound',
    file: 'lib/deployment/scale/recommend.ts',
    guard: 'Math.min(rule.max, ...more)',
    without: 'Math.min(...more)',
    only: 'deployments',
    seeds: FOLLOWED,
  },
  {
    name: 'R5 a load has no job below its bound',
    file: 'lib/deployment/scale/recommend.ts',
    guard: 'Math.max(rule.min, ...less)',
    without: 'Math.max(...less)',
    only: 'deployments',
    seeds: FOLLOWED,
  },
];
