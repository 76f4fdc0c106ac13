import { randomUUID } from 'node:crypto';
import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  type Change,
  type DescribeChangeSetOutput,
  type Parameter,
} from '@aws-sdk/client-cloudformation';
import type { Template } from '../../../../lib/install/template.ts';
import { UsageError } from '../flags/usage.ts';
import { asked, type InstallClients } from './clients.ts';
import type { StackState } from './stack-state.ts';

export interface StackWish {
  readonly stack: string;
  readonly before: StackState | undefined;
  readonly template: Template;
  readonly templateUrl: string;
  /** What is not said stays as it is, or is the template's default. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** Buckets that an installation of the same name has left. */
  readonly takesExisting: boolean;
}

export interface PlannedChange {
  readonly action: string;
  readonly type: string;
  readonly id: string;
  /** It goes, and another one comes. */
  readonly replaced: 'yes' | 'perhaps' | 'no';
}

export interface Plan {
  /** The change set's ARN. */
  readonly changeSet: string;
  readonly stack: string;
  readonly stackId: string;
  readonly isNew: boolean;
  readonly changes: readonly PlannedChange[];
}

/** Lets CloudFormation say what it would do; undefined when that is nothing. Nothing is changed yet. */
export async function planChange(wish: StackWish, clients: InstallClients): Promise<Plan | undefined> {
  const { stack, before, template, parameters, tags } = wish;
  const isNew = before === undefined;
  const create = new CreateChangeSetCommand({
    StackName: stack,
    ChangeSetName: `flink-dispatch-${randomUUID()}`,
    ChangeSetType: isNew ? 'CREATE' : 'UPDATE',
    TemplateURL: wish.templateUrl,
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: [...parametersOf(template, parameters, before)],
    ...(Object.keys(tags).length > 0 && { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
    ...(isNew && { OnStackFailure: 'DELETE' as const }),
    ...(wish.takesExisting && { ImportExistingResources: true }),
  });
  const made = await asked(
    `cloudformation:CreateChangeSet of ${stack}`,
    clients.cloudFormation.send(create),
    clients.env,
  );
  const plan = { changeSet: made.Id ?? '', stack, stackId: made.StackId ?? stack, isNew };
  const { Status, StatusReason = '', changes } = await described(plan.changeSet, clients);
  if (Status === 'CREATE_COMPLETE') return { ...plan, changes };
  await discardPlan(plan, clients);
  if (/didn't contain changes|No updates are to be performed/i.test(StatusReason)) return undefined;
  throw new UsageError(`CloudFormation cannot change the stack ${stack} so: ${StatusReason}`);
}

function parametersOf(
  template: Template,
  given: Readonly<Record<string, string>>,
  before: StackState | undefined,
): readonly Parameter[] {
  return Object.keys(template.Parameters).flatMap((ParameterKey): readonly Parameter[] => {
    const ParameterValue = given[ParameterKey];
    if (ParameterValue !== undefined) return [{ ParameterKey, ParameterValue }];
    return before?.parameters[ParameterKey] === undefined ? [] : [{ ParameterKey, UsePreviousValue: true }];
  });
}

type Described = Pick<DescribeChangeSetOutput, 'Status' | 'StatusReason'> & {
  readonly changes: readonly PlannedChange[];
};

async function described(changeSet: string, clients: InstallClients): Promise<Described> {
  const changes: PlannedChange[] = [];
  for (let token: string | undefined; ;) {
    const page = new DescribeChangeSetCommand({ ChangeSetName: changeSet, ...(token && { NextToken: token }) });
    const answer = await asked('cloudformation:DescribeChangeSet', clients.cloudFormation.send(page), clients.env);
    if (/PENDING|IN_PROGRESS/.test(answer.Status ?? '')) {
      await clients.clock.sleep(pollEvery(clients));
      continue;
    }
    changes.push(...(answer.Changes ?? []).flatMap(changeOf));
    token = answer.NextToken;
    if (token === undefined) return { Status: answer.Status, StatusReason: answer.StatusReason, changes };
  }
}

function changeOf({ ResourceChange: change }: Change): PlannedChange[] {
  if (change === undefined) return [];
  const { Action = 'Modify', ResourceType: type = '', LogicalResourceId: id = '', Replacement } = change;
  const replaced = Replacement === 'True' ? 'yes' : Replacement === 'Conditional' ? 'perhaps' : 'no';
  return [{ action: Action, type, id, replaced: Action === 'Modify' ? replaced : 'no' }];
}

/** AWS takes minutes; a server that stands for it, a moment. */
export function pollEvery({ endpoint }: Pick<InstallClients, 'endpoint'>): number {
  return endpoint === undefined ? 2_000 : 100;
}

/** What was only planned leaves nothing. */
export async function discardPlan(
  { changeSet, stack, isNew }: Pick<Plan, 'changeSet' | 'stack' | 'isNew'>,
  { cloudFormation, env }: InstallClients,
): Promise<void> {
  const gone = cloudFormation.send(new DeleteChangeSetCommand({ ChangeSetName: changeSet }));
  await asked('cloudformation:DeleteChangeSet', gone, env);
  // A change set that was to make a stack has made an empty one.
  if (isNew)
    await asked('cloudformation:DeleteStack', cloudFormation.send(new DeleteStackCommand({ StackName: stack })), env);
}

export async function executePlan({ changeSet }: Plan, { cloudFormation, env }: InstallClients): Promise<void> {
  const execute = new ExecuteChangeSetCommand({ ChangeSetName: changeSet });
  await asked('cloudformation:ExecuteChangeSet', cloudFormation.send(execute), env);
}
