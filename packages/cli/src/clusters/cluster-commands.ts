import type { Command } from '../command.ts';
import { COMMON, GENERAL, PROPERTY, RUN, SPEC_FILE, VERSION_AND_DRY_RUN } from '../flags/flag-sets.ts';
import type { Flag } from '../flags/flags.ts';
import { OLD_SESSION_FLAGS } from '../legacy/old-flags.ts';

const FORCE: Flag = { long: 'force', help: 'Though jobs run on it.' };

const session = (
  name: 'start' | 'stop' | 'list' | 'attach',
  rest: Omit<Command, 'name' | 'flags' | 'load'> & { flags?: readonly Flag[] },
): Command => ({
  ...rest,
  name: `session ${name}`,
  flags: [...GENERAL, ...OLD_SESSION_FLAGS, ...(rest.flags ?? []), ...COMMON],
  load: async () => ({ execute: (await import('../commands/session.ts'))[name] }),
});

const standalone = (
  name: 'up' | 'down' | 'scale',
  rest: Omit<Command, 'name' | 'flags' | 'load'> & { flags: readonly Flag[] },
): Command => ({
  ...rest,
  name: `standalone ${name}`,
  flags: [PROPERTY, ...rest.flags, ...COMMON],
  load: async () => ({ execute: (await import('../commands/standalone.ts'))[name] }),
});

/** Clusters that take jobs, and those of plain Deployments. */
export const CLUSTER_COMMANDS: readonly Command[] = [
  session('start', {
    synopsis: '[OPTIONS]',
    summary: 'Create a session cluster, as kubernetes-session.sh does.',
    flags: VERSION_AND_DRY_RUN,
    examples: ['session start -Dkubernetes.cluster-id=my-session -Dkubernetes.container.image.ref=flink:2.3.0'],
    notes: 'With -Dexecution.attached=true it stays and takes the commands help, stop and quit.',
  }),
  session('stop', {
    synopsis: '[OPTIONS] [cluster id]',
    summary: 'Remove a session cluster. Refused while jobs run on it, unless --force.',
    flags: [FORCE],
    examples: ['session stop my-session', 'session stop --force my-session'],
  }),
  session('list', { synopsis: '[OPTIONS]', summary: 'List session clusters.', examples: ['session list -ns jobs'] }),
  session('attach', {
    synopsis: '[OPTIONS] [cluster id]',
    summary: 'Take commands for a running session cluster: help, stop, quit.',
    examples: ['session attach my-session', 'session attach -nm my-session'],
  }),
  standalone('up', {
    synopsis: '[OPTIONS] [<jar> [arguments…]]',
    summary: 'Create a cluster of plain Deployments: an application with a jar, a session without.',
    flags: [
      ...RUN,
      {
        long: 'taskmanagers',
        takes: 'value',
        value: 'number',
        help: 'TaskManagers; default: what the parallelism needs.',
      },
      { long: 'job', help: 'Make the JobManager a Job in place of a Deployment: for a job that ends.' },
      {
        long: 'ttl',
        takes: 'value',
        value: 'seconds',
        help: 'With --job and -d: how long all stays after the end; default 60.',
      },
      { long: 'job-id', takes: 'value', value: 'id', help: 'Fix the id of the job; then main() may run one.' },
      { long: 'keep', help: 'Leave the cluster after the end of its application.' },
      SPEC_FILE,
      ...VERSION_AND_DRY_RUN,
    ],
    stopAtArgument: true,
    examples: [
      'standalone up -Dkubernetes.cluster-id=my-cluster -Dkubernetes.container.image.ref=flink:2.3.0 --taskmanagers 2',
      'standalone up --job -Dkubernetes.cluster-id=my-job local:///opt/flink/usrlib/job.jar --input s3://b/in',
    ],
    notes:
      'Nothing in a standalone cluster asks Kubernetes for TaskManagers or removes it. Without -d an application is followed\n' +
      'to its end and its cluster removed; a session, and an application with -d, end with: standalone down.',
  }),
  standalone('down', {
    synopsis: '[OPTIONS] [cluster id]',
    summary: 'Remove a standalone cluster and all its objects.',
    flags: [FORCE],
    examples: ['standalone down my-cluster'],
  }),
  standalone('scale', {
    synopsis: '[OPTIONS] [cluster id] <TaskManagers>',
    summary: 'Set the number of TaskManagers of a standalone cluster.',
    flags: [],
    examples: ['standalone scale my-cluster 4'],
  }),
];
