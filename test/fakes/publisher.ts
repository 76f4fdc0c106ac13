import type { Destination, Publisher } from '../../lib/outcome/publisher.ts';
import { lifecycleEventSchema, type LifecycleEvent } from '../../lib/outcome/schema.ts';
import { Faults } from './faults.ts';

/** Takes only what the public schema describes. */
export class FakePublisher implements Publisher {
  readonly faults = new Faults<keyof Publisher>();
  readonly published: { readonly event: LifecycleEvent; readonly notify: readonly string[] }[] = [];

  publish(event: LifecycleEvent, notify: readonly string[]): Promise<void> {
    return this.faults.around('publish', () => {
      this.published.push({ event: lifecycleEventSchema.parse(event), notify });
    });
  }
}

export class FakeDestination implements Destination {
  readonly faults = new Faults<'deliver'>();
  readonly delivered: LifecycleEvent[] = [];
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  deliver(event: LifecycleEvent): Promise<void> {
    return this.faults.around('deliver', () => {
      this.delivered.push(lifecycleEventSchema.parse(event));
    });
  }
}
