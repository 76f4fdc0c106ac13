import { CLUSTER_COMMANDS } from './clusters/cluster-commands.ts';
import type { Command } from './command.ts';
import { DEPLOYMENT_COMMANDS } from './deployment-commands.ts';
import { COMMON, GENERAL, LEDGER, QUEUE, RUN, RUN_QUEUE, SPEC_FILE, VERSION_AND_DRY_RUN } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';
import { IMAGE_COMMANDS } from './image-commands.ts';
import { CONFIG_COMMANDS, INSTALL_COMMANDS } from './install-commands.ts';
import { BACKFILL_COMMAND, DEAD_LETTER_COMMANDS, SCHEDULE_COMMANDS } from './request-commands.ts';
import { JOB_COMMANDS, RUN_COMMANDS } from './run-commands.ts';
import { OLD_RUN_FLAGS } from './legacy/old-flags.ts';
import { DETACHED, FORMAT } from './flags/savepoint-flags.ts';

/** Files of docs/schemas, without their version. */
const SCHEMA_NAMES = ['job', 'config', 'message', 'run-event', 'deployment-event'];
const ON_CLUSTER = '-Dkubernetes.cluster-id=my-job';

const RUN_FLAGS: readonly Flag[] = [
  ...GENERAL,
  ...RUN,
  ...VERSION_AND_DRY_RUN,
  SPEC_FILE,
  ...OLD_RUN_FLAGS,
  { long: 'keep', help: 'Leave a cluster whose JobManager could not start, for a look at it.' },
  ...COMMON,
];

const run: Command = {
  name: 'run',
  synopsis: '[OPTIONS] <jar> [arguments…]',
  summary: 'Run a job on an application cluster of its own, and wait for its end.',
  flags: RUN_FLAGS,
  stopAtArgument: true,
  examples: [
    'run -Dkubernetes.cluster-id=my-job -Dkubernetes.container.image.ref=flink:2.3.0 local:///opt/flink/usrlib/job.jar --input s3://b/in',
    'run -d -p 4 -c com.acme.Main --flink-version 1.20 -Dkubernetes.namespace=jobs local:///opt/flink/usrlib/job.jar',
    'run --dry-run -o json -f job.yaml',
  ],
  notes:
    'The objects are those of Flink’s own client. Without -d the JobManager waits until its results were read, and then\n' +
    'removes its cluster; -Dexecution.shutdown-on-application-finish=true or false says yourself whether it goes.',
  load: () => import('./commands/run.ts'),
};

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  run,
  { ...run, name: 'run-application', summary: 'The same as run: its name before Flink 2.0.' },
  {
    name: 'list',
    synopsis: '[OPTIONS]',
    summary: 'List the jobs of a cluster, or of all native Flink clusters of the namespace.',
    flags: [
      { short: 'r', long: 'running', help: 'Only jobs that run.' },
      { short: 's', long: 'scheduled', help: 'Only jobs that wait to run.' },
      { short: 'a', long: 'all', help: 'Ended jobs too.' },
      ...GENERAL,
      ...COMMON,
    ],
    examples: ['list -a -Dkubernetes.namespace=jobs', `list -t kubernetes-application ${ON_CLUSTER}`],
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'cancel',
    synopsis: '[OPTIONS] [job id]',
    summary: 'Cancel a job. Without an id: the only one that runs in the cluster.',
    flags: [
      {
        short: 's',
        long: 'withSavepoint',
        takes: 'optional',
        value: 'directory',
        help: 'Take a savepoint first. Old: use stop.',
      },
      FORMAT,
      ...GENERAL,
      ...COMMON,
    ],
    examples: [
      `cancel ${ON_CLUSTER}`,
      `cancel -t kubernetes-application ${ON_CLUSTER} 58db0b6fdde4c1308b223485320afcaf`,
    ],
    load: () => import('./commands/cancel.ts'),
  },
  {
    name: 'stop',
    synopsis: '[OPTIONS] [job id]',
    summary: 'Stop a job with a savepoint.',
    flags: [
      {
        short: 'p',
        long: 'savepointPath',
        takes: 'optional',
        value: 'directory',
        help: 'Where to put the savepoint; default: the configured one.',
      },
      { short: 'd', long: 'drain', help: 'Let all windows fire first: the job must not be resumed afterwards.' },
      FORMAT,
      DETACHED,
      ...GENERAL,
      ...COMMON,
    ],
    examples: [`stop -p s3://state/savepoints ${ON_CLUSTER} 58db0b6fdde4c1308b223485320afcaf`],
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'savepoint',
    synopsis: '[OPTIONS] [job id] [directory]',
    summary: 'Take a savepoint of a job, or dispose of one.',
    flags: [
      { short: 'd', long: 'dispose', takes: 'value', value: 'path', help: 'Remove this savepoint.' },
      {
        short: 'j',
        long: 'jarfile',
        takes: 'value',
        value: 'jar',
        help: '',
        refused: 'only needed for state of Flink 1.2.',
      },
      FORMAT,
      DETACHED,
      ...GENERAL,
      ...COMMON,
    ],
    examples: [
      `savepoint ${ON_CLUSTER} 58db0b6fdde4c1308b223485320afcaf s3://state/savepoints`,
      `savepoint ${ON_CLUSTER} -d s3://state/savepoints/savepoint-58db0b-1`,
    ],
    load: () => import('./commands/savepoint.ts'),
  },
  ...CLUSTER_COMMANDS,
  {
    name: 'logs',
    synopsis: '[OPTIONS] [cluster id]',
    summary: 'Print the logs of a cluster’s JobManager, or of its TaskManagers.',
    flags: [
      { long: 'taskmanagers', help: 'Of all TaskManagers.' },
      { long: 'pod', takes: 'value', value: 'name', help: 'Of this pod only.' },
      { long: 'follow', help: 'Go on as the log grows.' },
      { long: 'previous', help: 'Of the container before its last restart: why it crashed.' },
      { long: 'tail', takes: 'value', value: 'lines', help: 'Only the last lines.' },
      { long: 'run', takes: 'value', value: 'run id', help: 'Of a dispatched run, from its ledger.' },
      { long: 'attempt', takes: 'value', value: 'number', help: 'With --run: of this attempt; default: the last.' },
      ...LEDGER,
      ...GENERAL,
      ...COMMON,
    ],
    examples: [
      'logs my-job --follow',
      'logs my-job --previous --tail 100',
      'logs my-job --taskmanagers',
      'logs --run 344e2e84cefa8d544286 --ledger my-ledger',
    ],
    load: () => import('./commands/logs.ts'),
  },
  ...RUN_COMMANDS,
  ...JOB_COMMANDS,
  ...SCHEDULE_COMMANDS,
  BACKFILL_COMMAND,
  ...DEAD_LETTER_COMMANDS,
  ...DEPLOYMENT_COMMANDS,
  ...IMAGE_COMMANDS,
  ...INSTALL_COMMANDS,
  ...CONFIG_COMMANDS,
  {
    name: 'ui',
    synopsis: '[OPTIONS] [cluster id]',
    summary:
      'Serve a cluster’s web UI on a local port, through the API server, or that of a run whose cluster is gone.',
    flags: [
      { long: 'port', takes: 'value', value: 'port', help: 'Local port; default: a free one.' },
      { long: 'run', takes: 'value', value: 'run id', help: 'Of a dispatched run, from its ledger when it has ended.' },
      { long: 'attempt', takes: 'value', value: 'number', help: 'With --run: of this attempt; default: the last.' },
      {
        long: 'flink',
        takes: 'value',
        value: 'path',
        help: 'With --run: a Flink distribution, or its flink-dist jar, which has the UI; default: FLINK_HOME.',
      },
      ...LEDGER,
      ...GENERAL,
      ...COMMON,
    ],
    examples: ['ui my-job --port 8081', 'ui --run 344e2e84cefa8d544286 --ledger my-ledger --flink /opt/flink'],
    load: () => import('./commands/ui.ts'),
  },
  {
    name: 'dashboard',
    synopsis: '[OPTIONS]',
    summary: 'Serve a page of runs, streams, queues, schedules and targets on a local port.',
    flags: [
      { long: 'port', takes: 'value', value: 'port', help: 'Local port; default: a free one.' },
      {
        long: 'allow-actions',
        help: 'Let the page ask for things, as runs and deployments do; its address then bears a token. Default: read-only.',
      },
      {
        long: 'config',
        takes: 'value',
        value: 'file',
        help: 'The deployment’s configuration, whose targets are checked as doctor does.',
      },
      { long: 'group', takes: 'value', value: 'name', help: 'Of schedules; default: FLINK_DISPATCH_SCHEDULE_GROUP.' },
      QUEUE,
      RUN_QUEUE,
      ...LEDGER,
      ...COMMON,
    ],
    examples: ['dashboard --ledger my-ledger', 'dashboard --stack flink-dispatch-prod --allow-actions'],
    notes: 'On 127.0.0.1 alone, with the AWS rights of whoever runs it. Nothing is deployed.',
    load: () => import('./dashboard/dashboard.ts'),
  },
  {
    name: 'explain',
    synopsis: '[OPTIONS] <option>[=value] | <reason>',
    summary: 'Say what a Flink option does to the objects of a cluster, or what a reason means.',
    flags: [...GENERAL, ...VERSION_AND_DRY_RUN.filter(({ long }) => long === 'flink-version'), ...COMMON],
    examples: [
      'explain kubernetes.jobmanager.cpu.amount',
      'explain kubernetes.secrets=db-login:/opt/secrets',
      'explain JobFailed',
    ],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'schema',
    synopsis: `<${SCHEMA_NAMES.join(' | ')}>`,
    summary: 'Print the JSON Schema of a file, a message or an event, for editors and validators.',
    flags: COMMON,
    examples: ['schema job > job.schema.json', 'schema config'],
    notes:
      'An editor with the YAML language server takes it by a first line in job.yaml:\n' +
      '# yaml-language-server: $schema=job.schema.json',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'doctor',
    synopsis: '[OPTIONS]',
    summary: 'Say what a deployment’s targets lack: connection, permissions, service account, quota, image.',
    flags: [
      {
        long: 'config',
        takes: 'value',
        value: 'file',
        help: 'The deployment’s configuration; default: what its ledger has, else dispatch.yml.',
      },
      { long: 'target', takes: 'value', value: 'name', help: 'Only this target.' },
      { long: 'probe', help: 'Also run one small pod of the default image in every namespace, and remove it.' },
      ...LEDGER,
      ...COMMON,
    ],
    examples: ['doctor', 'doctor --config prod.yml --target default --probe', 'doctor --json'],
    notes:
      'Asks as whoever runs it: with the functions’ own access it tells what they may do. Exit code 1 when a check failed.',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'completion',
    synopsis: '<bash|zsh|fish>',
    summary: 'Print the completion of commands and flags for a shell.',
    flags: [...COMMON],
    examples: ['completion bash > /etc/bash_completion.d/flink-dispatch', 'completion fish | source'],
    load: async () => ({ execute: (await import('./commands/completion.ts')).completionOf(COMMANDS) }),
  },
];
