import type { Command, Execute } from './command.ts';
import { COMMON, LEDGER } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';

const ASK_FIRST: readonly Flag[] = [
  { long: 'plan', help: 'Show what would change, and change nothing.' },
  { short: 'y', long: 'yes', help: 'Do not ask.' },
];

function config(
  name: 'check' | 'put' | 'get' | 'diff',
  text: Omit<Command, 'name' | 'load' | 'flags'>,
  flags: readonly Flag[] = LEDGER,
): Command {
  return {
    ...text,
    name: `config ${name}`,
    flags: [...flags, ...COMMON],
    load: async (): Promise<{ readonly execute: Execute }> => ({
      execute: (await import('./install/config-commands.ts'))[name],
    }),
  };
}

/** The configuration that an installation's functions read. */
export const CONFIG_COMMANDS: readonly Command[] = [
  config(
    'check',
    {
      synopsis: '[OPTIONS] [file]',
      summary: 'Say whether a configuration is good; default: dispatch.yml. Needs no AWS.',
      examples: ['config check', 'config check prod.yml --json'],
    },
    [],
  ),
  config(
    'put',
    {
      synopsis: '[OPTIONS] [file]',
      summary: 'Store a configuration that is good: functions go by it within 15 seconds.',
      examples: ['config put --stack flink-dispatch-prod', 'config put prod.yml --ledger my-ledger'],
      notes:
        'A file that is not good is refused. Of two at a time one is told that the other was faster. With --stack, rights of the\n' +
        'functions that follow from it (buckets, queues, secrets, registries, tenants) are shown first, and then changed.',
    },
    [...LEDGER, ...ASK_FIRST],
  ),
  config(
    'get',
    {
      synopsis: '[OPTIONS]',
      summary: 'Print the stored configuration, or an older version of it.',
      examples: ['config get > dispatch.yml', 'config get --version 3HL4kqtJvjVBH40Nrjfkd'],
      notes: 'The ledger bucket keeps replaced versions for 7 days: keep the file where your other files are.',
    },
    [
      { long: 'version', takes: 'value', value: 'id', help: 'Of the object in S3, as the bucket lists its versions.' },
      ...LEDGER,
    ],
  ),
  config('diff', {
    synopsis: '[OPTIONS] [file]',
    summary: 'Show the fields in which a file differs from the stored configuration.',
    examples: ['config diff', 'config diff prod.yml --stack flink-dispatch-prod'],
    notes: 'Exit code 1 when they differ.',
  }),
];

/** An installation as a whole: a CloudFormation stack, with the AWS credentials of whoever runs it. */
export const INSTALL_COMMANDS: readonly Command[] = [
  {
    name: 'init',
    synopsis: '[OPTIONS]',
    summary: 'Write the configuration of an installation, dispatch.yml, from a kubeconfig or an EKS cluster.',
    flags: [
      { long: 'eks', takes: 'value', value: 'name', help: 'The cluster’s name in EKS.' },
      { long: 'region', takes: 'value', value: 'region', help: 'Of the EKS cluster; default: AWS_REGION.' },
      { long: 'kubeconfig', takes: 'value', value: 'file', help: 'Default: the file that kubectl would read.' },
      { long: 'context', takes: 'value', value: 'name', help: 'Of the kubeconfig; default: the current one.' },
      {
        long: 'secret',
        takes: 'value',
        value: 'name',
        help: 'Of Secrets Manager, with the kubeconfig of a cluster that is not of EKS.',
      },
      { long: 'namespace', takes: 'value', value: 'name', help: 'Of the runs; default: flink.' },
      { long: 'service-account', takes: 'value', value: 'name', help: 'Of the jobs; default: flink.' },
      { long: 'image', takes: 'value', value: 'image', help: 'Of the jobs; default: flink:2.3.0.' },
      { long: 'flink-version', takes: 'value', value: 'version', help: 'Of the image; default: what its tag says.' },
      {
        long: 'stack',
        takes: 'value',
        value: 'name',
        help: 'Whose jars are allowed; default: FLINK_DISPATCH_STACK, else flink-dispatch-prod.',
      },
      { short: 'o', long: 'output', takes: 'value', value: 'file', help: 'Default: dispatch.yml.' },
      { long: 'force', help: 'Write over the file.' },
      { short: 'y', long: 'yes', help: 'Ask nothing.' },
      ...COMMON,
    ],
    examples: [
      'init',
      'init --eks my-cluster --namespace jobs --yes',
      'init --context kind-kind --secret flink-dispatch/kind',
    ],
    notes: 'It asks for what no flag says. A kubeconfig that aws eks update-kubeconfig has written is told as EKS.',
    load: () => import('./install/init.ts'),
  },
  {
    name: 'deploy',
    synopsis: '[OPTIONS]',
    summary: 'Make an installation in AWS, or bring it to this release; what would change is shown first.',
    flags: [
      {
        long: 'stack',
        takes: 'value',
        value: 'name',
        help: 'Its name, and what all names begin with; default: FLINK_DISPATCH_STACK, else flink-dispatch-prod.',
      },
      {
        long: 'config',
        takes: 'value',
        value: 'file',
        help: 'Its configuration; default: dispatch.yml where there is one, else the one that is stored.',
      },
      {
        long: 'parameter',
        takes: 'value',
        value: 'NAME=VALUE',
        help: 'Of the template: Concurrency=100, HttpApi=iam, JarBucketName=my-jars. May be given often; others stay as they are.',
      },
      {
        long: 'tag',
        takes: 'value',
        value: 'NAME=VALUE',
        help: 'On the stack and all that it has. May be given often.',
      },
      {
        long: 'code-bucket',
        takes: 'value',
        value: 'bucket',
        help: 'For the zips; default: flink-dispatch-code-<account>-<region>, which is made.',
      },
      {
        long: 'release',
        takes: 'value',
        value: 'folder',
        help: 'A template and zips; default: those of this package.',
      },
      {
        long: 'to',
        takes: 'value',
        value: 'folder',
        help: 'Deploy nothing: write the template, the zips and the configuration there, for Terraform, CDK or CloudFormation itself.',
      },
      ...ASK_FIRST,
      ...COMMON,
    ],
    examples: [
      'deploy --config dispatch.yml',
      'deploy --stack flink-dispatch-test --plan',
      'deploy --parameter HttpApi=iam --tag team=data --yes',
      'deploy --stack flink-dispatch-prod --to release',
    ],
    notes:
      'The same again changes nothing. Runs that are under way go on. Buckets that an installation of this name has left are\n' +
      'taken up again.',
    load: () => import('./install/deploy.ts'),
  },
  {
    name: 'uninstall',
    synopsis: '[OPTIONS]',
    summary: 'Take an installation away, and say what stays: its jars, runs and evidence.',
    flags: [
      {
        long: 'stack',
        takes: 'value',
        value: 'name',
        help: 'Its name; default: FLINK_DISPATCH_STACK, else flink-dispatch-prod.',
      },
      { long: 'force', help: 'Although runs or streams are live: nobody follows them then.' },
      { short: 'y', long: 'yes', help: 'Do not ask.' },
      ...COMMON,
    ],
    examples: ['uninstall --stack flink-dispatch-test'],
    load: () => import('./install/uninstall.ts'),
  },
];
