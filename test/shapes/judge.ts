import type { LifecycleEvent } from '../../lib/outcome/schema.ts';

/** What the log of a JobManager tells of its application, read as a person would: without anything of the product. */
export interface FlinkWord {
  /** In the order in which the log names them; the state is that of the last line of each. */
  readonly jobs: readonly { readonly name: string; readonly state: string }[];
  readonly end: 'FINISHED' | 'FAILED' | 'CANCELED' | undefined;
  /** Steps that main() began. */
  readonly steps: readonly string[];
}

const JOB = /\bJob (\S+) \(([0-9a-f]{32})\) switched from state [A-Z]+ to ([A-Z]+)/g;
const ENDS = [
  ['FINISHED', /Application completed SUCCESSFULLY/],
  ['CANCELED', /Application CANCELED/],
  ['FAILED', /Application FAILED|Application failed unexpectedly/],
] as const;
const STEP = /^STEP (\S+)$/gm;
const LASTING = ['FINISHED', 'FAILED', 'CANCELED'];

export function readFlinkWord(log: string): FlinkWord {
  const jobs = new Map<string, { name: string; state: string }>();
  for (const [, name = '', id = '', state = ''] of log.matchAll(JOB)) jobs.set(id, { name, state });
  return {
    jobs: [...jobs.values()],
    end: ENDS.find(([, said]) => said.test(log))?.[0],
    steps: [...log.matchAll(STEP)].map(([, step = '']) => step),
  };
}

interface Expected {
  readonly state: 'succeeded' | 'failed' | 'canceled' | 'unknown';
  readonly reason: string;
  readonly message: RegExp;
}

/** The event that this word asks for; `undefined` when the log does not tell how the application ended. */
function expectedOf({ jobs, end, steps }: FlinkWord, message = ''): Expected | undefined {
  const last = steps.at(-1) ?? '';
  const exit = /^exit(\d+)$/.exec(last)?.[1];
  if (end === undefined) return exit === undefined ? undefined : expectedExit(exit, jobs, message);
  // Flink 2.3 calls it FINISHED, those before FAILED; here it is the same for all.
  if (jobs.length === 0 && last !== 'throw') return failed('ApplicationFailed', /without running a job/);
  if (end === 'FINISHED') return { state: 'succeeded', reason: 'JobFinished', message: /finished/i };
  if (end === 'CANCELED') return { state: 'canceled', reason: 'JobCanceled', message: /./ };
  if (last === 'throw') return failed('ApplicationFailed', /main\(\) threw/);
  return failed('JobFailed', /the job failed/);
}

/** On a busy machine Flink halts the JVM before it exits with that code, and no log tells. */
const HALTED = /System\.exit\(\); its code is not known/;

function expectedExit(code: string, jobs: FlinkWord['jobs'], message: string): Expected {
  const exit = HALTED.test(message) ? HALTED : new RegExp(`System\\.exit\\(${code}\\)`);
  const ended = jobs.every(({ state }) => LASTING.includes(state));
  if (!ended || jobs.every(({ state }) => state !== 'FINISHED')) return failed('ApplicationFailed', exit);
  if (exit === HALTED) return { state: 'unknown', reason: 'OutcomeUnknown', message: exit };
  return code === '0'
    ? { state: 'succeeded', reason: 'JobFinished', message: exit }
    : failed('ApplicationFailed', exit);
}

function failed(reason: string, message: RegExp): Expected {
  return { state: 'failed', reason, message };
}

/** What an event says otherwise than Flink's log; empty: they agree. */
export function disagreements(word: FlinkWord, data: LifecycleEvent['data']): readonly string[] {
  const expected = expectedOf(word, data.message);
  if (expected === undefined) return ['the log tells of no end'];
  const said = `${data.state} ${data.reason ?? ''}: ${data.message ?? ''}`;
  const wrong: string[] = [];
  const isSo = data.state === expected.state && data.reason === expected.reason;
  if (!isSo || !expected.message.test(data.message ?? '')) {
    wrong.push(`'${said}' in place of ${expected.state} ${expected.reason} ${expected.message.source}`);
  }
  const told = (data.jobs ?? []).map(({ name = '', state }) => `${name} ${state}`).sort();
  const logged = word.jobs.map(({ name, state }) => `${name} ${state}`).sort();
  // A job that had not ended is told of as it was at the last look.
  const differ = told.length !== logged.length || logged.some((job, at) => ended(job) && job !== told[at]);
  if (differ) wrong.push(`jobs [${told.join(', ')}] in place of [${logged.join(', ')}]`);
  return wrong;
}

function ended(job: string): boolean {
  return LASTING.some((state) => job.endsWith(` ${state}`));
}
