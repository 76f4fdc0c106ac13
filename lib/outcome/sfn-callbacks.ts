import {
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { awsCode, fromAwsError } from '../core/aws-error.ts';
import { cutText } from './limits.ts';
import type { LifecycleEvent } from './schema.ts';
import type { Heard, TaskCallbacks } from './task-callbacks.ts';

/** Characters that SendTaskFailure takes as its cause. */
const CAUSE = 32_768;
const GONE = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);

type Answer = SendTaskSuccessCommand | SendTaskFailureCommand;

/** Step Functions. Answering a task again does no harm: its token is known no longer. */
export function createSfnCallbacks(sfn: SFNClient): TaskCallbacks {
  return {
    complete: (taskToken, event) => {
      const command = answerOf(taskToken, event);
      const action = command instanceof SendTaskSuccessCommand ? 'states:SendTaskSuccess' : 'states:SendTaskFailure';
      return asked(action, () => sfn.send(command as SendTaskSuccessCommand));
    },
    heartbeat: (taskToken) =>
      asked('states:SendTaskHeartbeat', () => sfn.send(new SendTaskHeartbeatCommand({ taskToken }))),
  };
}

function answerOf(taskToken: string, { data }: LifecycleEvent): Answer {
  if (data.state === 'succeeded') return new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(data) });
  return new SendTaskFailureCommand({ taskToken, error: data.reason ?? 'Internal', cause: causeOf(data) });
}

/** JSON for `States.StringToJson`, so nothing of it is cut in two: what is long goes. */
function causeOf(data: LifecycleEvent['data']): string {
  const whole = JSON.stringify(data);
  if (whole.length <= CAUSE) return whole;
  const { runId, name, state, reason, reasonClass, field, todo, record, sequence } = data;
  const message = cutText(data.message ?? '', 8_000);
  const rootException = cutText(data.rootException ?? '', 8_000);
  return JSON.stringify({
    runId,
    name,
    state,
    reason,
    reasonClass,
    message,
    field,
    todo,
    rootException,
    record,
    sequence,
  });
}

async function asked(action: string, send: () => Promise<unknown>): Promise<Heard> {
  try {
    await send();
    return 'heard';
  } catch (error) {
    if (GONE.has(awsCode(error))) return 'gone';
    // A token says whose task it is, and may not be told.
    throw fromAwsError(error, { action, resource: 'the task of a state machine' });
  }
}
