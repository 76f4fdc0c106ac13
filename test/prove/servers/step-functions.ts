import {
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNServiceException,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import type { Failures, Invocation, Simulation } from '../simulation.ts';
import { failuresOf, noAnswer, REQUEST_FAULTS } from './aws-failures.ts';

/** What a task was told: `succeeded`, or the error that it failed with. */
export interface TaskAnswer {
  readonly taskToken: string;
  readonly told: string;
}

const failure = failuresOf(SFNServiceException);

const FAILURES: Failures = {
  refused: () => failure('InternalFailure', 500),
  throttled: () => failure('ThrottlingException', 400),
  noAnswer,
};

/** Tasks of state machines that wait for an answer; some are given up by their time-out. */
export class StepFunctions {
  readonly answers: TaskAnswer[] = [];
  onAnswer: (answer: TaskAnswer) => void = () => undefined;
  private readonly waiting = new Set<string>();
  private readonly sim: Simulation;

  constructor(sim: Simulation) {
    this.sim = sim;
  }

  begin(taskToken: string): void {
    this.waiting.add(taskToken);
    if (!this.sim.draws.chance(`${taskToken} runs into its time-out`, 0.2)) return;
    this.sim.after(this.sim.draws.between(`${taskToken} time-out`, 5_000, 120_000), () => {
      if (this.waiting.delete(taskToken)) this.sim.tell('state machine', `waits for ${taskToken} no longer`);
    });
  }

  isWaiting(taskToken: string): boolean {
    return this.waiting.has(taskToken);
  }

  client(invocation: Invocation): SFNClient {
    const send = (command: { readonly input: { readonly taskToken?: string } }): Promise<unknown> => {
      const { taskToken = '' } = command.input;
      const told = toldBy(command);
      const what = told === undefined ? `task heartbeat ${taskToken}` : `task answer ${taskToken} ${told}`;
      const act = (): unknown => {
        if (!this.waiting.has(taskToken)) throw failure('TaskTimedOut', 400);
        if (told === undefined) return {};
        this.waiting.delete(taskToken);
        this.answers.push({ taskToken, told });
        this.onAnswer({ taskToken, told });
        return {};
      };
      return this.sim.effect(invocation, { what, act, kinds: REQUEST_FAULTS, failures: FAILURES, latency: [8, 60] });
    };
    return { send } as unknown as SFNClient;
  }
}

/** Undefined: that the run goes on. */
function toldBy(command: unknown): string | undefined {
  if (command instanceof SendTaskHeartbeatCommand) return undefined;
  if (command instanceof SendTaskSuccessCommand) return 'succeeded';
  if (command instanceof SendTaskFailureCommand) return command.input.error ?? '';
  throw new Error('the simulated Step Functions does not know this command');
}
