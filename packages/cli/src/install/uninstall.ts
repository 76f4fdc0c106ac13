import { DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { has, type Execute } from '../command.ts';
import type { Template } from '../../../../lib/install/template.ts';
import { UsageError } from '../flags/usage.ts';
import { printJson, style, type Io } from '../terminal/io.ts';
import { asked, openClients, type InstallClients } from './clients.ts';
import { stackOf } from './deploy.ts';
import { confirmed } from './show-proposal.ts';
import { eventsSoFar, stackEnd } from './stack-progress.ts';
import { findStack, templateOf, type StackState } from './stack-state.ts';

/** Takes an installation away, but for its data. */
export const execute: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('uninstall takes no arguments: name the stack with --stack');
  const stack = stackOf(io, parsed);
  const clients = openClients(io);
  const state = await findStack(stack, clients);
  if (state === undefined) throw new UsageError(`there is no stack ${stack}`);
  const kept = keptBy(await templateOf(stack, clients), state);
  await requireQuiet(stack, state, clients, has(parsed, 'force'));
  io.err(`The stack ${stack} goes, with its functions, queues and what waits in them, event bus, alarms and logs.\n`);
  for (const line of await schedulesOf(state, clients))
    io.err(`${style(io, 'yellow', 'The schedule goes')}: ${line}\n`);
  for (const line of kept) io.err(`It stays: ${line}\n`);
  if (!has(parsed, 'yes') && !(await confirmed(io, 'Take it away?'))) {
    io.err('nothing was changed\n');
    return 1;
  }
  const known = await eventsSoFar(state.id, clients);
  const gone = clients.cloudFormation.send(new DeleteStackCommand({ StackName: stack }));
  await asked(`cloudformation:DeleteStack of ${stack}`, gone, clients.env);
  const { status, failures } = await stackEnd(state.id, known, clients);
  const done = status === 'DELETE_COMPLETE';
  if (has(parsed, 'json')) printJson(io, { stack, status, failures, kept });
  else report(io, stack, done, status, failures);
  return done ? 0 : 1;
};

function report(io: Io, stack: string, done: boolean, status: string, failures: readonly string[]): void {
  if (done) return io.out(`${stack} is gone\n`);
  io.err(`${style(io, 'red', status)}: ${stack} is not gone\n`);
  for (const failure of failures) io.err(`${failure}\n`);
}

/** What no removal takes along: data, and what others may use. */
function keptBy({ Resources }: Template, { outputs, parameters }: StackState): readonly string[] {
  const of = (id: string, output: string, what: string, existing: string): readonly string[] => {
    const bucket = outputs[output];
    if (bucket === undefined || !Object.hasOwn(Resources, id)) return [];
    return [`s3://${bucket}, ${what}${parameters[existing] ? ' (it was there before)' : ''}`];
  };
  const code = parameters['CodeBucket'];
  return [
    ...of('JarBucket', 'JarBucketName', 'the jars', 'JarBucketName'),
    ...of('LedgerBucket', 'LedgerBucketName', 'runs, evidence, stored jobs and the configuration', 'LedgerBucketName'),
    ...(code === undefined ? [] : [`s3://${code}, the releases, which other installations may use`]),
  ];
}

const LIVE = { 'live/': 'runs', 'live-deployments/': 'streams' } as const;

/** What lives would go on with nobody to follow it: Flink's own clusters need no functions. */
async function requireQuiet(
  stack: string,
  { outputs }: StackState,
  { s3, env }: InstallClients,
  force: boolean,
): Promise<void> {
  const Bucket = outputs['LedgerBucketName'];
  if (Bucket === undefined || force) return;
  for (const [Prefix, what] of Object.entries(LIVE)) {
    const list = s3.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 }));
    const { KeyCount = 0 } = await asked(`s3:ListBucket on ${Bucket}`, list, env);
    if (KeyCount === 0) continue;
    const how = what === 'runs' ? 'runs list --state live, runs cancel' : 'deployments list, deployments delete';
    throw new UsageError(
      `${what} of ${stack} are live, and would go on with nobody to follow them: end them first (${how}), or --force`,
    );
  }
}

/** The group of the stack goes with the schedules that are in it. */
async function schedulesOf({ outputs }: StackState, { env }: InstallClients): Promise<readonly string[]> {
  const GroupName = outputs['ScheduleGroupName'];
  if (GroupName === undefined) return [];
  const list = new SchedulerClient().send(new ListSchedulesCommand({ GroupName, MaxResults: 100 }));
  const { Schedules = [] } = await asked('scheduler:ListSchedules', list, env);
  return Schedules.map(({ Name = '' }) => Name).filter((name) => name !== 'sweep-runs');
}
