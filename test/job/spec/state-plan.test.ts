import { describe, expect, it } from 'vitest';
import { defined } from '../../../lib/core/defined.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { parseJarUri } from '../../../lib/job/jar/jar-uri.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { resolveJob } from '../../../lib/job/resolve.ts';
import { parseManifestOrSpec } from '../../../lib/job/spec/manifest.ts';
import { withoutRestorePath, wishOf } from '../../../lib/job/state-plan.ts';

const deployment = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
`);
const SAVEPOINTS = { 'execution.checkpointing.savepoint-dir': 's3://state/savepoints/' };
const CHECKPOINTS = { 'execution.checkpointing.dir': 's3a://state/checkpoints' };
const OLD = { state: { 'savepoints.dir': 's3://old/savepoints', 'checkpoints.dir': 's3://old/checkpoints' } };
const DAY = 86_400_000;

function resolve(job: object, flinkConfiguration: object = {}, more: object = {}, jar = 'local:///a.jar'): ResolvedJob {
  const given = { flinkVersion: 'v2_3', job: { jarURI: jar, ...job }, flinkConfiguration, ...more };
  const spec = parseManifestOrSpec(given);
  return resolveJob(spec, { jar: parseJarUri(jar), name: 'orders', deployment });
}

describe('a stream that keeps its state', () => {
  it('says how, with the directories of its Flink options', () => {
    const job = resolve({ upgradeMode: 'savepoint' }, { ...SAVEPOINTS, ...CHECKPOINTS });
    expect(job.kind).toBe('streaming');
    expect(job.state).toEqual({
      upgradeMode: 'savepoint',
      fallback: 'none',
      format: 'CANONICAL',
      savepointDeadline: 15 * 60_000,
      savepointDirectory: 's3://state/savepoints',
      checkpointDirectory: 's3a://state/checkpoints',
      probation: 5 * 60_000,
      rollback: 'automatic',
      history: { count: 10, age: 7 * DAY },
    });
  });

  it.each([
    [{ kind: 'streaming' }, { ...SAVEPOINTS, ...CHECKPOINTS }, 'savepoint'],
    [{ kind: 'streaming' }, CHECKPOINTS, 'last-state'],
    [{ kind: 'streaming' }, OLD, 'savepoint'],
    [{ kind: 'streaming', upgradeMode: 'stateless' }, {}, 'stateless'],
    [{ upgradeMode: 'last-state' }, CHECKPOINTS, 'last-state'],
    [{ upgradeMode: 'stateless' }, CHECKPOINTS, undefined],
    [{ kind: 'batch', upgradeMode: 'savepoint' }, SAVEPOINTS, undefined],
    [{}, { 'execution.runtime-mode': 'STREAMING' }, undefined],
  ])('%o with %o upgrades by %s', (job, options, mode) => {
    expect(resolve(job, options).state?.upgradeMode).toBe(mode);
  });

  it('has its next run prepared where that is said and can be done', () => {
    const job = { kind: 'streaming', prepareUpgrade: true };
    expect(resolve(job, SAVEPOINTS, {}, 's3://jars/a.jar').state).toMatchObject({ prepareUpgrade: true });
    const not = { ...job, prepareUpgrade: false };
    expect(resolve(not, SAVEPOINTS).state).not.toHaveProperty('prepareUpgrade');
  });

  it.each([
    ['local:///a.jar', {}, {}, 'begins with s3://'],
    ['s3://jars/a.jar', { mode: 'standalone' }, {}, 'leave it out in mode standalone'],
    ['s3://jars/a.py', {}, {}, 'names a jar'],
    ['s3://jars/a.jar', {}, { 'web.submit.enable': 'false' }, 'leave web.submit.enable out'],
  ])('refuses to prepare the next run of %s with %o and %o', (jar, more, options, words) => {
    const asked = () => resolve({ kind: 'streaming', prepareUpgrade: true }, { ...SAVEPOINTS, ...options }, more, jar);
    expect(asked).toThrow(words);
    expect(asked).toThrow(expect.objectContaining({ field: 'job.prepareUpgrade' }));
  });

  it('has its state compared with the next run where that is prepared', () => {
    const job = { kind: 'streaming', prepareUpgrade: true, checkState: true };
    expect(resolve(job, SAVEPOINTS, {}, 's3://jars/a.jar').state).toMatchObject({ checkState: true });
    const not = { ...job, checkState: false };
    expect(resolve(not, SAVEPOINTS, {}, 's3://jars/a.jar').state).not.toHaveProperty('checkState');
    const asked = () => resolve({ kind: 'streaming', checkState: true }, SAVEPOINTS);
    expect(asked).toThrow('job.checkState true needs job.prepareUpgrade: true');
    expect(asked).toThrow(expect.objectContaining({ field: 'job.checkState' }));
  });

  describe('that follows its load', () => {
    const ADAPTIVE = { ...SAVEPOINTS, 'jobmanager.scheduler': 'adaptive' };
    const rule = (autoscale: object, job = {}) => ({
      ...{ kind: 'streaming', parallelism: 2, autoscale: { min: 2, max: 8, ...autoscale }, ...job },
    });

    it('has its rule', () => {
      expect(resolve(rule({}), ADAPTIVE).state?.autoscale).toEqual({ min: 2, max: 8, target: 0.7, window: 60_000 });
      const own = { targetUtilization: 0.5, stabilizationWindow: '5m' };
      expect(resolve(rule(own), ADAPTIVE).state?.autoscale).toMatchObject({ target: 0.5, window: 300_000 });
    });

    it.each([
      [
        rule({}),
        SAVEPOINTS,
        'job.autoscale needs mode application and flinkConfiguration.jobmanager.scheduler: adaptive',
      ],
      [rule({ max: 3, min: 4 }), ADAPTIVE, 'job.autoscale.max 3 is less than job.autoscale.min, 4'],
      [
        rule({ stabilizationWindow: '10s' }),
        ADAPTIVE,
        'job.autoscale.stabilizationWindow is 10 s: it is 30 s at least',
      ],
      [
        rule({}, { parallelism: 1 }),
        ADAPTIVE,
        'is for 2 to 8 subtasks, and job.parallelism, with which it begins, is 1',
      ],
    ])('refuses %o', (job, options, words) => {
      expect(() => resolve(job, options)).toThrow(words);
    });
  });

  it('is none in a session, whose jobs are runs', () => {
    const spec = parseManifestOrSpec({
      ...{ flinkVersion: 'v2_3', mode: 'session', session: { clusterId: 'a' } },
      job: { kind: 'streaming' },
    });
    const jar = parseJarUri('s3://jars/a.jar');
    expect(resolveJob(spec, { jar, name: 'orders', deployment }).state).toBeUndefined();
  });

  it('reads the operator’s options, and its own fields before them', () => {
    const operator = {
      'kubernetes.operator': {
        'savepoint.history.max.count': 3,
        'savepoint.history.max.age': '2 d',
        'periodic.savepoint.interval': '1 h',
        'job.upgrade.last-state.max.allowed.checkpoint.age': '10 min',
        'savepoint.format.type': 'native',
        'job.upgrade.last-state-fallback.enabled': true,
        'deployment.readiness.timeout': '3 min',
        'deployment.rollback.enabled': false,
      },
    };
    const options = { ...SAVEPOINTS, ...CHECKPOINTS, ...operator };
    expect(resolve({ kind: 'streaming' }, options).state).toMatchObject({
      fallback: 'last-state',
      format: 'NATIVE',
      maxCheckpointAge: 600_000,
      savepointEvery: 3_600_000,
      ...{ probation: 180_000, rollback: 'manual' },
      history: { count: 3, age: 2 * DAY },
    });
    const own = {
      ...{ kind: 'streaming', fallback: 'none', savepointFormat: 'canonical', savepointDeadline: '2m' },
      ...{ probation: '90s', rollback: 'automatic' },
      ...{ maxCheckpointAge: '5m', savepointInterval: '30m', savepointHistory: { count: 7 } },
    };
    expect(resolve(own, options).state).toMatchObject({
      ...{ fallback: 'none', format: 'CANONICAL', savepointDeadline: 120_000 },
      ...{ probation: 90_000, rollback: 'automatic' },
      ...{ maxCheckpointAge: 300_000, savepointEvery: 1_800_000, history: { count: 7, age: 2 * DAY } },
    });
    expect(resolve({ kind: 'streaming' }, options).notes).toBeUndefined();
  });

  it.each([
    [{ cron: '0 3 * * ? *' }, 'UTC'],
    [{ cron: '0/30 * ? * MON-FRI *', timeZone: 'Europe/Berlin' }, 'Europe/Berlin'],
  ])('takes savepoints by the calendar: %o', (savepointSchedule, timeZone) => {
    const plan = { cron: savepointSchedule.cron, timeZone };
    const { state } = resolve({ kind: 'streaming', savepointSchedule }, SAVEPOINTS);
    expect(state).toMatchObject({ savepointSchedule: plan });
    expect(state).not.toHaveProperty('savepointEvery');
    const both = resolve({ kind: 'streaming', savepointSchedule, savepointInterval: '6h' }, SAVEPOINTS);
    expect(both.state).toMatchObject({ savepointSchedule: plan, savepointEvery: 6 * 3_600_000 });
  });

  it.each([
    ['0 0 3 * * ?', { savepointSchedule: { cron: '0 3 * * ? *', timeZone: 'UTC' } }],
    ['0 30 12 ? * 2#1 2026-2030', { savepointSchedule: { cron: '30 12 ? * 2#1 2026-2030', timeZone: 'UTC' } }],
    ['90 s', { savepointEvery: 90_000 }],
    ['0', {}],
    ['', {}],
  ])('reads %j as the operator does', (text, plan) => {
    const option = { 'kubernetes.operator.periodic.savepoint.interval': text };
    const { state } = resolve({ kind: 'streaming' }, { ...SAVEPOINTS, ...option });
    const { savepointEvery, savepointSchedule } = state ?? {};
    expect(defined({ savepointEvery, savepointSchedule })).toEqual(plan);
    const own = resolve({ kind: 'streaming', savepointInterval: '1h' }, { ...SAVEPOINTS, ...option });
    expect(own.state).toMatchObject({ savepointEvery: 3_600_000 });
    expect(own.state).not.toHaveProperty('savepointSchedule');
  });

  it.each([
    [{ cron: '0 3 * * *' }, 'job.savepointSchedule.cron', 'must have six fields'],
    [{ cron: '61 3 * * ? *' }, 'job.savepointSchedule.cron', "'61' is no minutes: numbers from 0 to 59"],
    [{ cron: '0 3 30 2 ? *' }, 'job.savepointSchedule.cron', "has no day in any year: '0 3 30 2 ? *'"],
    [{ cron: '0 3 * * ? *', timeZone: 'Berlin' }, 'job.savepointSchedule.timeZone', 'such as Europe/Berlin'],
    [{ timeZone: 'UTC' }, 'job.savepointSchedule.cron', 'is missing'],
    [{ cron: '0 3 * * ? *', zone: 'UTC' }, 'job.savepointSchedule.zone', 'known here are cron, timeZone'],
  ])('refuses the calendar %o', (savepointSchedule, field, words) => {
    const asked = () => resolve({ kind: 'streaming', savepointSchedule }, SAVEPOINTS);
    expect(asked).toThrow(words);
    expect(asked).toThrow(expect.objectContaining({ field }));
  });

  it('takes checkpoints where its last state is what counts, and native savepoints of ForSt', () => {
    const job = resolve({ kind: 'streaming' }, { ...CHECKPOINTS, 'state.backend.type': 'forst' });
    expect(job.options['execution.checkpointing.interval']).toBe('5 min');
    expect(job.state?.format).toBe('NATIVE');
    const own = { ...CHECKPOINTS, 'execution.checkpointing.interval': '10 s' };
    expect(resolve({ kind: 'streaming' }, own).options['execution.checkpointing.interval']).toBe('10 s');
  });

  it('has neither a concurrency of its own nor a cluster that is kept, and says so', () => {
    const more = { concurrency: { key: 'k' }, afterEnd: { keepCluster: 'always' } };
    const job = resolve({ kind: 'streaming' }, SAVEPOINTS, more);
    expect(job.concurrency).toBeUndefined();
    expect(job.afterEnd.keepCluster).toBe('never');
    expect(job.notes).toEqual([
      'concurrency has no effect: a deployment has one run at a time',
      'afterEnd has no effect: the next run of a deployment begins when nothing of the last one is left',
    ]);
  });

  it.each([
    [
      { kind: 'streaming' },
      {},
      'job.upgradeMode',
      /savepoint, with execution\.checkpointing\.savepoint-dir.* stateless/,
    ],
    [{ upgradeMode: 'savepoint' }, CHECKPOINTS, 'job.upgradeMode', /needs .*execution\.checkpointing\.savepoint-dir/],
    [{ upgradeMode: 'last-state' }, SAVEPOINTS, 'job.upgradeMode', /needs .*execution\.checkpointing\.dir/],
    [{ upgradeMode: 'savepoint', fallback: 'last-state' }, SAVEPOINTS, 'job.fallback', /execution\.checkpointing\.dir/],
    [{ upgradeMode: 'last-state', savepointInterval: '1h' }, CHECKPOINTS, 'job.savepointInterval', /savepoint-dir/],
    [
      { upgradeMode: 'last-state', savepointSchedule: { cron: '0 3 * * ? *' } },
      CHECKPOINTS,
      'job.savepointSchedule',
      /^job\.savepointSchedule 0 3 \* \* \? \* needs .*savepoint-dir/,
    ],
    [{ upgradeMode: 'last-state', maxCheckpointAge: '1h' }, CHECKPOINTS, 'job.maxCheckpointAge', /savepoint-dir/],
    [
      { upgradeMode: 'last-state', savepointTriggerNonce: 1 },
      CHECKPOINTS,
      'job.savepointTriggerNonce',
      /savepoint-dir/,
    ],
    [{ state: 'suspended' }, {}, 'job.state', /needs job\.kind: streaming/],
    [
      { kind: 'streaming' },
      { 'execution.checkpointing.savepoint-dir': 'savepoints' },
      'execution.checkpointing.savepoint-dir',
      /must be a URI with a scheme/,
    ],
    [
      { kind: 'streaming' },
      { ...SAVEPOINTS, 'kubernetes.operator.periodic.savepoint.interval': '0 0 * * *' },
      'kubernetes.operator.periodic.savepoint.interval',
      /cron expression of Quartz: 0 0 3 \* \* \?/,
    ],
  ])('is refused: %o with %o', (job, options, field, message) => {
    expect(() => resolve(job, options)).toThrow(
      expect.objectContaining({ field, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  it('is told the option’s name of its own Flink version', () => {
    expect(() => resolve({ upgradeMode: 'savepoint' }, {}, { flinkVersion: 'v1_19' })).toThrow(
      /state\.savepoints\.dir/,
    );
  });
});

describe('what a spec wants of its deployment', () => {
  it('is its state, its numbers and where it begins', () => {
    const spec = parseManifestOrSpec({
      restartNonce: 4,
      job: { state: 'suspended', savepointTriggerNonce: 0, savepointRedeployNonce: 2, checkpointTriggerNonce: 3 },
    });
    const options = { 'execution.savepoint.path': 's3://s/1', 'pipeline.name': 'a' };
    expect(wishOf(spec, options)).toEqual({
      state: 'suspended',
      nonces: { restart: 4, savepointTrigger: 0, checkpointTrigger: 3, savepointRedeploy: 2 },
      initialSavepointPath: 's3://s/1',
    });
    expect(wishOf({}, {})).toEqual({ state: 'running', nonces: {} });
    expect(withoutRestorePath(options)).toEqual({ 'pipeline.name': 'a' });
  });
});
