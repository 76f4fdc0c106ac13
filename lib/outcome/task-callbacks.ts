import { DispatchError } from '../core/errors.ts';
import type { LifecycleEvent } from './schema.ts';

/** `gone`: nobody waits any more, because the task was answered before, ran into its time-out or was stopped. */
export type Heard = 'heard' | 'gone';

/** Tasks of state machines that wait for the end of a run, by their tokens. */
export interface TaskCallbacks {
  /**
   * Succeeds the task of a run that succeeded, with the data of its event as output; fails any other with the reason as
   * error and the data of its event, cut to what Step Functions takes, as cause.
   * @throws DispatchError `StorageUnavailable` to try again, `PermissionDenied`, `Internal`
   */
  complete(taskToken: string, event: LifecycleEvent): Promise<Heard>;
  /** The run goes on. @throws as `complete` */
  heartbeat(taskToken: string): Promise<Heard>;
}

/** Of who never meets a task: requests of uploads and schedules have no token, and the sweeper takes no step. */
export const NO_TASKS: TaskCallbacks = { complete: refuse, heartbeat: refuse };

function refuse(): Promise<never> {
  return Promise.reject(new DispatchError('Internal', 'a function that answers no tasks was asked to answer one'));
}
