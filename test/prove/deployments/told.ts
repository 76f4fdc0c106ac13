import { deploymentEventSchema, type PublicDeploymentEvent } from '../../../lib/outcome/deployment-schema.ts';
import type { EventBus } from '../servers/event-bus.ts';

/** The events of deployments that were delivered, each once. */
export function deploymentEvents({ bus }: { readonly bus: EventBus }): readonly PublicDeploymentEvent[] {
  const events = bus.delivered.flatMap((event) => deploymentEventSchema.safeParse(event).data ?? []);
  return [...new Map(events.map((event) => [event.id, event])).values()];
}
