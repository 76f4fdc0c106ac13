import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect } from 'vitest';
import { ACCOUNT } from '../../infra/local/aws/ministack.ts';
import { clientConfig } from '../../infra/local/aws/deploy.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { exampleText } from '../examples.ts';

/** That of the examples: a job by its name, its failures told apart by their reason. */
function definitionOf(queue: string): string {
  return exampleText('step-functions/state-machine.asl.json').replace('QUEUE_URL', queue);
}

export interface Execution {
  readonly status: string | undefined;
  readonly output: unknown;
}

/** A state machine of the local AWS, whose server executes its states. It has tokens of its own form, and no heartbeats. */
export async function makeStateMachine(stack: Stack): Promise<(name: string, job: string) => Promise<Execution>> {
  const client = new SFNClient(clientConfig(stack.aws));
  const definition = definitionOf(stack.deployment.messageQueueUrl);
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/state-machine`;
  const made = await client.send(new CreateStateMachineCommand({ name: 'nightly', definition, roleArn }));
  return async (name, job) => {
    const input = JSON.stringify({ job });
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn: made.stateMachineArn, name, input }),
    );
    const execution = () => client.send(new DescribeExecutionCommand({ executionArn }));
    await expect.poll(async () => (await execution()).status, { timeout: 180_000, interval: 250 }).not.toBe('RUNNING');
    const { status, output = 'null' } = await execution();
    return { status, output: JSON.parse(output) };
  };
}
