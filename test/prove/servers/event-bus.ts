import { EventBridgeServiceException, PutEventsCommand, type EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { FaultKind } from '../faults.ts';
import type { Failures, Invocation, Simulation } from '../simulation.ts';
import { failuresOf, noAnswer } from './aws-failures.ts';

const PUT: readonly FaultKind[] = [
  'refused',
  'throttled',
  'lost',
  'late',
  'resent',
  'slow',
  'partial',
  'crash-before',
  'crash-after',
];

const failure = failuresOf(EventBridgeServiceException);

const FAILURES: Failures = {
  refused: () => failure('InternalException', 500),
  throttled: () => failure('ThrottlingException', 400),
  noAnswer,
};

/** The event bus, with a subscriber that keeps everything. */
export class EventBus {
  readonly delivered: LifecycleEvent[] = [];
  onEvent: (event: LifecycleEvent, by: string) => void = () => undefined;
  private readonly sim: Simulation;

  constructor(sim: Simulation) {
    this.sim = sim;
  }

  client(invocation: Invocation): EventBridgeClient {
    const send = (command: { readonly input: unknown }): Promise<unknown> => {
      if (!(command instanceof PutEventsCommand)) {
        return Promise.reject(new Error(`the simulated EventBridge does not know ${command.constructor.name}`));
      }
      const events = (command.input.Entries ?? []).map(({ Detail = '' }) => JSON.parse(Detail) as LifecycleEvent);
      const act = (): unknown => {
        for (const event of events) this.deliver(event, invocation.label);
        return { FailedEntryCount: 0, Entries: events.map(({ id }) => ({ EventId: id })) };
      };
      const partial = (): unknown => ({
        FailedEntryCount: 1,
        Entries: [{ ErrorCode: 'ThrottlingException', ErrorMessage: 'too many' }],
      });
      const what = `events put ${events.map(({ id }) => id).join(', ')}`;
      return this.sim.effect(invocation, { what, act, partial, kinds: PUT, failures: FAILURES, latency: [8, 60] });
    };
    return { send } as unknown as EventBridgeClient;
  }

  private deliver(event: LifecycleEvent, by: string): void {
    this.delivered.push(event);
    this.onEvent(event, by);
  }
}
