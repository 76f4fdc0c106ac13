import type { Flag } from './flags.ts';

const PYTHON =
  'name the program in place of the jar, such as local:///opt/flink/usrlib/job.py, and its files and interpreter by -Dpython.* options.';

const HELP: Flag = { short: 'h', long: 'help', help: 'Show this text.' };
const JSON_OUTPUT: Flag = { long: 'json', help: 'Print the result as JSON on standard output.' };
const VERBOSE: Flag = { short: 'v', long: 'verbose', help: 'Say more on standard error.' };

const TARGET: Flag = {
  short: 't',
  long: 'target',
  takes: 'value',
  value: 'target',
  help: 'kubernetes-application or kubernetes-session; the same as -Dexecution.target.',
};
export const PROPERTY: Flag = {
  short: 'D',
  takes: 'property',
  help: "Set a Flink option, over the conf folder's file. May be given often.",
};

/** GenericCLI. */
export const GENERAL: readonly Flag[] = [
  TARGET,
  { short: 'e', long: 'executor', takes: 'value', value: 'target', help: 'Old name of --target.' },
  PROPERTY,
];

export const COMMON: readonly Flag[] = [JSON_OUTPUT, VERBOSE, HELP];

export const VERSION_AND_DRY_RUN: readonly Flag[] = [
  {
    long: 'flink-version',
    takes: 'value',
    value: 'version',
    help: 'Whose rules to follow, such as 2.3.0 or 1.20. Default: what the image tag says, else 2.3.',
  },
  { long: 'dry-run', help: 'Print the objects and create nothing. Needs no Kubernetes.' },
  { short: 'o', long: 'output', takes: 'value', value: 'yaml|json', help: 'Format of --dry-run; default yaml.' },
];

export const SPEC_FILE: Flag = {
  short: 'f',
  long: 'file',
  takes: 'value',
  value: 'spec.yaml',
  help: 'A job.yaml, or a FlinkDeployment manifest (v1beta1); flags win over it.',
};

/** What is sent or stored, and not run from here. */
export const JOB_FILE: Flag = {
  short: 'f',
  long: 'file',
  takes: 'value',
  value: 'file',
  help: 'A job.yaml or a FlinkDeployment.',
};

export const STORED_JOB: Flag = {
  long: 'job',
  takes: 'value',
  value: 'name',
  help: 'A stored job; -f says what differs from it.',
};

export const RUN_QUEUE: Flag = {
  long: 'runQueue',
  takes: 'value',
  value: 'url',
  help: 'Of the dispatcher, which is told at once; default: FLINK_DISPATCH_RUN_QUEUE, else its sweeper finds it.',
};

/** By which an installation is named whose parts are not. */
export const STACK: Flag = {
  long: 'stack',
  takes: 'value',
  value: 'name',
  help: 'The CloudFormation stack, whose outputs name the rest; default: FLINK_DISPATCH_STACK.',
};

export const LEDGER: readonly Flag[] = [
  {
    long: 'ledger',
    takes: 'value',
    value: 'bucket',
    help: 'The ledger bucket of the deployment; default: FLINK_DISPATCH_LEDGER. AWS credentials as for the AWS CLI.',
  },
  STACK,
];

/** CliFrontendParser.getRunCommandOptions, with what only other targets or languages use refused. */
export const RUN: readonly Flag[] = [
  {
    short: 'c',
    long: 'class',
    takes: 'value',
    value: 'class',
    help: 'Class with main(), when the jar does not name it.',
  },
  { short: 'p', long: 'parallelism', takes: 'value', value: 'number', help: 'Parallelism of the job.' },
  {
    short: 'C',
    long: 'classpath',
    takes: 'value',
    value: 'url',
    help: 'URL for the user class loader. May be given often.',
  },
  { short: 's', long: 'fromSavepoint', takes: 'value', value: 'path', help: 'Savepoint or checkpoint to start from.' },
  { short: 'n', long: 'allowNonRestoredState', help: 'Leave out state of the savepoint that no operator claims.' },
  {
    short: 'cm',
    long: 'claimMode',
    takes: 'value',
    value: 'mode',
    help: 'Who owns the savepoint: no_claim (default), claim or legacy.',
  },
  { short: 'rm', long: 'restoreMode', takes: 'value', value: 'mode', help: 'Old name of --claimMode.' },
  { short: 'd', long: 'detached', help: 'Return once the cluster is created; the job sees execution.attached=false.' },
  { short: 'sae', long: 'shutdownOnAttachedExit', help: 'Remove the cluster when this command is interrupted.' },
  { short: 'j', long: 'jarfile', takes: 'value', value: 'jar', help: 'The jar; then all arguments are the program’s.' },
  { short: 'a', long: 'arguments', help: '', refused: 'write the program’s arguments after the jar.' },
  {
    short: 'm',
    long: 'jobmanager',
    takes: 'value',
    value: 'kubernetes-cluster',
    help: 'Old: with -ksa the session, else an application cluster. Today -t says it.',
  },
  { short: 'z', long: 'zookeeperNamespace', help: '', refused: 'use -Dhigh-availability.cluster-id.' },
  ...pythonFlags(),
];

function pythonFlags(): Flag[] {
  const names: Record<string, string> = {
    py: 'python',
    pyfs: 'pyFiles',
    pym: 'pyModule',
    pyreq: 'pyRequirements',
    pyarch: 'pyArchives',
    pyexec: 'pyExecutable',
    pyclientexec: 'pyClientExecutable',
    pypath: 'pyPythonPath',
  };
  return Object.entries(names).map(([short, long]) => ({ short, long, help: '', refused: PYTHON }));
}

export const QUEUE: Flag = {
  long: 'queue',
  takes: 'value',
  value: 'url',
  help: 'The job queue; default: FLINK_DISPATCH_QUEUE.',
};
