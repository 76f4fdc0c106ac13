import { expect } from 'vitest';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { Change } from '../deployments/deployment-wishes.ts';
import { deploymentEvents } from '../deployments/told.ts';
import type { Fault, FaultKind } from '../faults.ts';
import type { Program } from '../servers/flink.ts';
import { World } from '../world.ts';

const FOREVER: Program = { restAfter: 600, runsAfter: 1_100, end: 'FAILED' };
const SEED = 6;
/** What a function leaves changes with these requests alone: one that dies after another has left what it left before. */
const CHANGES =
  / · (s3 (put|delete|copy)|k8s (POST|PATCH|DELETE)|sqs send|events put|flink (stop|cancel|upload|plan|run|require|.*-trigger)) /;
/** A function that dies before a request has done what one has done that died after the request before. */
const OTHERS: readonly FaultKind[] = ['crash-before', 'refused', 'lost'];

export interface StreamScenario {
  /** The number of the generation that runs at last, and the argument of its job. */
  readonly reached: number;
  readonly args: string;
  /** As a `DeploymentScript` has them. */
  readonly steps: readonly (readonly Change[])[];
  /** The first of the steps that are struck. */
  readonly from: number;
  /** What its deployment tells, once, among other things. */
  readonly told: readonly string[];
  /** Whether that is so too where functions send messages in vain. */
  readonly tellsAlways: boolean;
  /** What it tells too where nothing goes wrong. */
  readonly toldUndisturbed?: readonly string[];
  /** Every how many of the requests fail otherwise than by a crash after them: by turns in each way. */
  readonly others: number;
  /** What holds at last, beside that. */
  readonly holds?: (played: Played) => void;
}

/** One job and all that is said of its deployment. */
export function spec(more: Readonly<Record<string, unknown>>, options: Readonly<Record<string, string>> = {}): Change {
  return {
    kind: 'spec',
    spec: {
      name: 'd1',
      image: 'flink:2.3.0',
      flinkConfiguration: {
        'execution.checkpointing.savepoint-dir': 's3://state/sp',
        'execution.checkpointing.dir': 's3://state/chk',
        ...options,
      },
      // A message that a dead function had is shown again after six minutes.
      deadlines: { start: '30m' },
      retry: { attempts: 2, backoff: '1s' },
      job: {
        ...{ entryClass: 'a.B', kind: 'streaming', args: ['1'], savepointDeadline: '15m', probation: '20s' },
        ...more,
      },
    },
  };
}

export interface Played {
  readonly world: World;
  readonly answer: DeploymentRecord | undefined;
  readonly run: RunRecord | undefined;
  /** Of the faults that could strike, those from the change that counts. */
  readonly possible: readonly Fault[];
}

async function play(
  { steps, from }: StreamScenario,
  faults: readonly Fault[],
  losesRunMessages: boolean,
): Promise<Played> {
  let answer: DeploymentRecord | undefined;
  let run: RunRecord | undefined;
  let begins = 0;
  let ends = Infinity;
  const script = {
    steps,
    onStep: (step: number): void => void (step === from && (begins = world.sim.faults.count)),
    program: FOREVER,
    onAnswer: (record: DeploymentRecord | undefined): void => {
      answer = record;
      run = [...world.deployments.invariants.runs.values()].find(({ runId }) => runId === record?.run?.id);
      ends = world.sim.faults.count;
    },
  };
  const workload = { wishes: [], quota: undefined, rate: 0, mostFaults: 0, losesRunMessages, deployments: 1, script };
  const world: World = new World({ seed: SEED, workload, faults });
  await world.live();
  return { world, answer, run, possible: world.sim.faults.possible(begins, ends) };
}

/** What is wanted runs, and nothing that is promised was broken. */
function expectWell(played: Played, { reached, args, told, tellsAlways, holds }: StreamScenario): void {
  const { world, answer, run } = played;
  expect(world.invariants.violations).toEqual([]);
  expect(answer).toMatchObject({ state: 'running', wanted: reached, reached });
  expect(run).toMatchObject({ state: 'running', job: { args: [args] } });
  holds?.(played);
  if (world.workload.losesRunMessages && !tellsAlways) return;
  expect(toldIn(world).filter((event) => told.includes(event))).toEqual(told);
}

/** `upgraded 2` */
function toldIn(world: World): readonly string[] {
  return deploymentEvents(world).map(({ data }) => `${data.state} ${data.generation}`);
}

/** Played once with a crash after every request of a function that changes something, and some times with other faults. */
export async function strikeStream(scenario: StreamScenario): Promise<void> {
  const whole = await play(scenario, [], false);
  expectWell(whole, scenario);
  expect(toldIn(whole.world)).toEqual(expect.arrayContaining([...(scenario.toldUndisturbed ?? [])]));
  const requests = whole.possible.filter(({ at }) => at.includes(' · '));
  const after = requests.filter(({ at, kind }) => kind === 'crash-after' && CHANGES.test(at));
  const others = requests.filter(({ kind }) => OTHERS.includes(kind)).filter((_, n) => n % scenario.others === 0);
  expect(after.length).toBeGreaterThan(30);
  for (const [n, fault] of [...after, ...others].entries()) {
    // Its message is lost with every other function that dies.
    const losesRunMessages = fault.kind === 'crash-after' && n % 2 === 0;
    try {
      const played = await play(scenario, [fault], losesRunMessages);
      expectWell(played, scenario);
      if (!losesRunMessages) expect(played.world.sim.faults.struck).toEqual([fault]);
    } catch (cause) {
      const where = `${fault.at}: ${fault.kind}${losesRunMessages ? ', messages lost' : ''}`;
      throw new Error(`${where}: ${String(cause)}`, { cause });
    }
  }
}
