import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import type { Heard, TaskCallbacks } from '../../lib/outcome/task-callbacks.ts';
import { Faults } from './faults.ts';

/** Tasks that wait until they are answered or forgotten. */
export class FakeTaskCallbacks implements TaskCallbacks {
  readonly faults = new Faults<keyof TaskCallbacks>();
  readonly answers = new Map<string, LifecycleEvent>();
  readonly heartbeats: string[] = [];
  /** Tokens of tasks that wait no longer. */
  readonly gone = new Set<string>();

  complete(taskToken: string, event: LifecycleEvent): Promise<Heard> {
    return this.faults.around('complete', () => {
      if (this.gone.has(taskToken)) return 'gone';
      this.gone.add(taskToken);
      this.answers.set(taskToken, event);
      return 'heard';
    });
  }

  heartbeat(taskToken: string): Promise<Heard> {
    return this.faults.around('heartbeat', () => {
      if (this.gone.has(taskToken)) return 'gone';
      this.heartbeats.push(taskToken);
      return 'heard';
    });
  }
}
