import type { Mutant } from './mutants.ts';

/** What keeps one tenant from another's runs. */
export const TENANT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a lock is its tenant’s',
    file: 'lib/dispatch/lock.ts',
    guard: '{ ...defined({ tenant }), key }',
    without: '{ key }',
  },
  {
    name: 'a class archive is its tenant’s',
    file: 'lib/dispatch/modes/application-mode.ts',
    guard: 'deps.deliver(job, ref, defined({ tenant: run.tenant }))',
    without: 'deps.deliver(job, ref, defined({ tenant: run.name }) && {})',
  },
  {
    name: 'a marker is its tenant’s',
    file: 'lib/run/store/s3-live-runs.ts',
    guard: 'return tenant === undefined ? runId : `${tenant}/${runId}`;',
    without: 'return tenant === undefined ? runId : runId;',
  },
  {
    name: 'a run takes no order of another tenant',
    file: 'lib/operate/scope.ts',
    guard: "scope.kind === 'all' || scope.tenant === tenant",
    without: "scope.kind === 'all' || tenant !== ''",
  },
  {
    name: 'a tenant has its own namespaces',
    file: 'lib/job/config/tenants.ts',
    guard: '[[name, { ...target, namespace, namespaces }]]',
    without: '[[name, target]]',
  },
  {
    name: 'a message is of its queue’s tenant',
    file: 'lib/job/config/tenants.ts',
    guard: 'return source.queueArn === queue;',
    without: 'return queue !== undefined;',
  },
  {
    name: 'an upload is of its folder’s tenant',
    file: 'lib/job/config/tenants.ts',
    guard: 'return source.bucket === bucket && source.key.startsWith(prefix);',
    without: 'return source.bucket === bucket;',
  },
  {
    name: 'a schedule is of its group’s tenant',
    file: 'lib/job/config/tenants.ts',
    guard: 'scheduleGroup !== undefined && source.calledBy === scheduleGroup',
    without: 'scheduleGroup !== undefined',
  },
  {
    name: 'a key is one job’s',
    file: 'lib/trigger/message.ts',
    guard: "['key', runJob ?? nameIn(spec), identityKey]",
    without: "['key', identityKey]",
  },
  {
    name: 'a schedule’s name alone is not its identity',
    file: 'lib/trigger/schedule.ts',
    guard: 'new Date(scheduledTime).toISOString(), sum]',
    without: 'new Date(scheduledTime).toISOString()]',
  },
];
