import {
  isRunMessage,
  parseQueueMessage,
  wholeDelay,
  type QueueMessage,
  type RunMessage,
  type RunQueue,
} from '../../lib/run/store/run-queue.ts';
import { Faults } from './faults.ts';

/** A queue on a clock of the test: `due` takes what has become visible. */
export class FakeRunQueue implements RunQueue {
  readonly faults = new Faults<keyof RunQueue>();
  /** Every message that was sent, in order, taken or not. */
  readonly sent: { readonly message: RunMessage; readonly delaySeconds: number }[] = [];
  private waiting: { readonly body: string; readonly visibleAt: number }[] = [];
  private readonly now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number = () => 0) {
    this.now = now;
  }

  send(message: QueueMessage, delaySeconds: number): Promise<void> {
    return this.faults.around('send', () => {
      // Nobody here looks at streams.
      if (!isRunMessage(message)) return;
      const delay = wholeDelay(delaySeconds);
      this.sent.push({ message, delaySeconds: delay });
      this.waiting.push({ body: JSON.stringify(message), visibleAt: this.now() + delay * 1000 });
    });
  }

  /** Takes the messages that are visible now. */
  due(): RunMessage[] {
    const now = this.now();
    const due = this.waiting.filter(({ visibleAt }) => visibleAt <= now);
    this.waiting = this.waiting.filter(({ visibleAt }) => visibleAt > now);
    return due.map(({ body }) => parseQueueMessage(body)).filter(isRunMessage);
  }
}
