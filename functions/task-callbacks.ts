import { SFNClient } from '@aws-sdk/client-sfn';
import { createSfnCallbacks } from '../lib/outcome/sfn-callbacks.ts';
import type { TaskCallbacks } from '../lib/outcome/task-callbacks.ts';

let callbacks: TaskCallbacks | undefined;

/** Of functions that meet tasks of Step Functions; once per execution environment. */
export function taskCallbacks(): TaskCallbacks {
  return (callbacks ??= createSfnCallbacks(new SFNClient()));
}
