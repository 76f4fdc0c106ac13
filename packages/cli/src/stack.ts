import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { awsCode } from '../../../lib/core/aws-error.ts';
import { describeError } from '../../../lib/core/errors.ts';
import { valueOf } from './command.ts';
import type { ParsedFlags } from './flags/flags.ts';
import { UsageError } from './flags/usage.ts';
import type { Io } from './terminal/io.ts';

/** What an installation has: the flag that names it, the environment's name for it, and the stack's output. */
const PARTS = {
  ledger: ['ledger', 'FLINK_DISPATCH_LEDGER', 'LedgerBucketName'],
  runQueue: ['runQueue', 'FLINK_DISPATCH_RUN_QUEUE', 'RunQueueUrl'],
  messageQueue: ['queue', 'FLINK_DISPATCH_QUEUE', 'MessageQueueUrl'],
  jars: ['jars', 'FLINK_DISPATCH_JARS', 'JarBucketName'],
  deadLetters: ['deadLetters', 'FLINK_DISPATCH_DEAD_LETTERS', 'DeadLetterQueueUrl'],
  scheduleGroup: ['group', 'FLINK_DISPATCH_SCHEDULE_GROUP', 'ScheduleGroupName'],
  scheduleRole: ['role', 'FLINK_DISPATCH_SCHEDULE_ROLE', 'ScheduleRoleArn'],
  scheduleTarget: ['target', 'FLINK_DISPATCH_SCHEDULE_TARGET', 'ScheduleTargetArn'],
  scheduleDeadLetters: ['failed', 'FLINK_DISPATCH_SCHEDULES_FAILED', 'ScheduleDeadLetterQueueArn'],
} as const;
export type Part = keyof typeof PARTS;

/**
 * A part of the installation: as its flag says, else the environment, else the outputs of the stack that `--stack` or
 * FLINK_DISPATCH_STACK names. Undefined when nothing names it. @throws UsageError for a stack that cannot be read
 */
export async function partOf(io: Io, parsed: ParsedFlags, part: Part): Promise<string | undefined> {
  const [flag, variable, output] = PARTS[part];
  const named = valueOf(parsed, flag) ?? io.env[variable];
  if (named) return named;
  const stack = stackNamed(io, parsed);
  return stack ? (await outputsOf(stack))[output] : undefined;
}

/** By its flag, or the environment. */
export function stackNamed(io: Io, parsed: ParsedFlags): string | undefined {
  return (valueOf(parsed, 'stack') ?? io.env['FLINK_DISPATCH_STACK']) || undefined;
}

const WORDS: Readonly<Record<Part, string>> = {
  ledger: 'ledger',
  runQueue: 'run queue',
  messageQueue: 'job queue',
  jars: 'jar bucket',
  deadLetters: 'dead-letter queue',
  scheduleGroup: 'schedule group',
  scheduleRole: 'role of schedules',
  scheduleTarget: 'target of schedules',
  scheduleDeadLetters: 'dead-letter queue of schedules',
};

/** @throws UsageError when nothing names it */
export async function requirePart(io: Io, parsed: ParsedFlags, part: Part): Promise<string> {
  const found = await partOf(io, parsed, part);
  if (found) return found;
  const [flag, variable, output] = PARTS[part];
  throw new UsageError(
    `which ${WORDS[part]}? Give --${flag}, or set ${variable}, or name the stack that has the output ${output} with --stack or FLINK_DISPATCH_STACK`,
  );
}

async function outputsOf(stack: string): Promise<Readonly<Record<string, string>>> {
  try {
    const { Stacks = [] } = await new CloudFormationClient().send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = Stacks[0]?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  } catch (error) {
    const said = `${awsCode(error)}: ${describeError(error)}`;
    throw new UsageError(`the stack ${stack} cannot be read (cloudformation:DescribeStacks): ${said}`);
  }
}
