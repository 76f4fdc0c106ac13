import { deploymentEventSchema, type PublicDeploymentEvent } from '../../lib/outcome/deployment-schema.ts';
import { isRunEvent, type Destination, type PublicEvent, type Publisher } from '../../lib/outcome/publisher.ts';
import { lifecycleEventSchema, type LifecycleEvent } from '../../lib/outcome/schema.ts';
import { Faults } from './faults.ts';

/** Takes only what the public schema describes. */
export class FakePublisher implements Publisher {
  readonly faults = new Faults<keyof Publisher>();
  readonly published: { readonly event: LifecycleEvent; readonly notify: readonly string[] }[] = [];

  /** Those of deployments. */
  readonly ofDeployments: { readonly event: PublicDeploymentEvent; readonly notify: readonly string[] }[] = [];

  publish(event: PublicEvent, notify: readonly string[]): Promise<void> {
    return this.faults.around('publish', () => {
      if (isRunEvent(event)) {
        this.published.push({ event: lifecycleEventSchema.parse(event), notify });
      } else {
        this.ofDeployments.push({ event: deploymentEventSchema.parse(event), notify });
      }
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

  deliver(event: PublicEvent): Promise<void> {
    return this.faults.around('deliver', () => {
      this.delivered.push(lifecycleEventSchema.parse(event));
    });
  }
}
