import { DescribeStackEventsCommand, DescribeStacksCommand, type StackEvent } from '@aws-sdk/client-cloudformation';
import { asked, type InstallClients } from './clients.ts';
import { pollEvery } from './change-set.ts';

/** How a change of a stack went. */
export interface StackEnd {
  /** `CREATE_COMPLETE`, `UPDATE_ROLLBACK_COMPLETE` … */
  readonly status: string;
  /** What failed first, and why; none when nothing did. */
  readonly failures: readonly string[];
}

/** Waits until CloudFormation is done with a stack, by its id: by its name one that is gone is not found. */
export async function stackEnd(
  stackId: string,
  known: ReadonlySet<string>,
  clients: InstallClients,
): Promise<StackEnd> {
  const { cloudFormation, env, clock } = clients;
  const failures = new Set<string>();
  for (;;) {
    const answer = cloudFormation.send(new DescribeStacksCommand({ StackName: stackId }));
    const { Stacks = [] } = await asked('cloudformation:DescribeStacks', answer, env);
    const status = Stacks[0]?.StackStatus ?? 'DELETE_COMPLETE';
    const events = (await newestEvents(stackId, clients)).filter(({ EventId = '' }) => !known.has(EventId));
    for (const event of events.filter(isFailure)) failures.add(failureOf(event));
    if (!status.endsWith('_IN_PROGRESS')) return { status, failures: [...failures] };
    await clock.sleep(pollEvery(clients));
  }
}

/** What has happened to a stack so far, which is not of the change that comes. */
export async function eventsSoFar(stackId: string, clients: InstallClients): Promise<ReadonlySet<string>> {
  return new Set((await newestEvents(stackId, clients)).map(({ EventId = '' }) => EventId));
}

/** The oldest of them first. */
async function newestEvents(stackId: string, { cloudFormation, env }: InstallClients): Promise<readonly StackEvent[]> {
  const answer = cloudFormation.send(new DescribeStackEventsCommand({ StackName: stackId }));
  const { StackEvents = [] } = await asked('cloudformation:DescribeStackEvents', answer, env);
  return StackEvents.toReversed();
}

/** One that was ended because another failed is no cause. */
function isFailure({ ResourceStatus, ResourceStatusReason = '' }: StackEvent): boolean {
  return ResourceStatus?.endsWith('_FAILED') === true && !/cancelled/i.test(ResourceStatusReason);
}

function failureOf({ LogicalResourceId = '', ResourceType = '', ResourceStatusReason = '' }: StackEvent): string {
  return `${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason}`;
}
