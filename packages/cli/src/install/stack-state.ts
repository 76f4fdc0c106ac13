import { DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { describeError } from '../../../../lib/core/errors.ts';
import type { Template } from '../../../../lib/install/template.ts';
import { UsageError } from '../flags/usage.ts';
import { asked, type InstallClients } from './clients.ts';

/** A stack as CloudFormation has it. */
export interface StackState {
  readonly id: string;
  /** `UPDATE_COMPLETE` */
  readonly status: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Undefined when there is none, nor one that is only planned. */
export async function findStack(
  name: string,
  { cloudFormation, env }: InstallClients,
): Promise<StackState | undefined> {
  const answer = cloudFormation.send(new DescribeStacksCommand({ StackName: name })).catch((error: unknown) => {
    if (/does not exist/.test(describeError(error))) return undefined;
    throw error;
  });
  const [stack] = (await asked(`cloudformation:DescribeStacks of ${name}`, answer, env))?.Stacks ?? [];
  const status = stack?.StackStatus ?? 'DELETE_COMPLETE';
  if (stack === undefined || status === 'DELETE_COMPLETE' || status === 'REVIEW_IN_PROGRESS') return undefined;
  const { StackId: id = '', Parameters = [], Outputs = [] } = stack;
  return {
    id,
    status,
    parameters: Object.fromEntries(
      Parameters.map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]),
    ),
    outputs: Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue])),
  };
}

/** The template as it was given. */
export async function templateOf(name: string, { cloudFormation, env }: InstallClients): Promise<Template> {
  const get = new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' });
  const { TemplateBody = '' } = await asked(`cloudformation:GetTemplate of ${name}`, cloudFormation.send(get), env);
  try {
    return JSON.parse(TemplateBody) as Template;
  } catch {
    throw new UsageError(`the stack ${name} was not made by flink-dispatch deploy: its template is no JSON`);
  }
}
