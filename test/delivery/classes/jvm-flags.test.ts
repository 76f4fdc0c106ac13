import { describe, expect, it } from 'vitest';
import { fastFlags, fastOptions } from '../../../lib/delivery/classes/jvm-flags.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { launchedSample } from '../../fixtures/records/load.ts';

const BRIEF = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
const FULL = ['-XX:TieredStopAtLevel=4'];

function jobWith(changes: Partial<ResolvedJob> = {}): ResolvedJob {
  const base = { ...launchedSample().job, mode: 'application', kind: 'batch', podTemplates: {}, options: {} };
  return { ...base, fastStart: 'on', ...changes } as ResolvedJob;
}

describe('the flags of a fast start', () => {
  it.each([
    ['a batch job', {}, { jobManager: BRIEF, taskManager: FULL }],
    ['a stream', { kind: 'streaming' }, { jobManager: FULL, taskManager: FULL }],
    ['a short job', { fastStart: 'short' }, { jobManager: BRIEF, taskManager: BRIEF }],
  ] as const)('of %s are those of how long its JVMs live', (_, changes, flags) => {
    expect(fastFlags(jobWith(changes), false)).toEqual(flags);
  });

  it('leave out whatever the job says itself, for each component', () => {
    const short = { fastStart: 'short' } as const;
    const of = (options: Readonly<Record<string, string>>): unknown => fastFlags(jobWith({ ...short, options }), true);
    const archive = fastFlags(jobWith(short), true).taskManager.slice(0, 4);
    expect(archive[0]).toBe('-XX:SharedArchiveFile=/flink-dispatch-classes/flink.jsa');
    expect(of({ 'env.java.opts.all': '-XX:+UseZGC' })).toEqual({
      jobManager: [...archive, BRIEF[0]],
      taskManager: [...archive, BRIEF[0]],
    });
    expect(of({ 'env.java.opts.taskmanager': '-XX:TieredStopAtLevel=3 -Xshare:off' })).toEqual({
      jobManager: [...archive, ...BRIEF],
      taskManager: [BRIEF[1]],
    });
    expect(of({ 'containerized.master.env.JVM_ARGS': '-XX:+UseParallelGC -XX:-TieredCompilation' })).toEqual({
      jobManager: archive,
      taskManager: [...archive, ...BRIEF],
    });
  });

  it('leave all out where a variable of a pod template may say anything', () => {
    const env = [{ name: 'JAVA_TOOL_OPTIONS', valueFrom: { configMapKeyRef: { name: 'jvm', key: 'options' } } }];
    const podTemplates = { common: { spec: { containers: [{ name: 'flink-main-container', env }] } } };
    const flags = fastFlags(jobWith({ podTemplates }), true);
    expect(flags).toEqual({ jobManager: [], taskManager: [] });
    expect(fastOptions(jobWith({ podTemplates }), flags)).toEqual({});
  });

  it('leave a variable of the scripts to whoever has set it, such as an agent of the deployment', () => {
    const key = 'containerized.master.env.JAVA_TOOL_OPTIONS';
    const job = jobWith({ options: { [key]: '-javaagent:/opt/agent.jar' } });
    const options = fastOptions(job, fastFlags(job, true));
    expect(options).not.toHaveProperty(key);
    expect(options).toHaveProperty(['containerized.taskmanager.env.JAVA_TOOL_OPTIONS']);
  });

  it('come before the defaults of the job, and the JVMs of the scripts compile little', () => {
    const job = jobWith({ options: { 'env.java.default-opts.jobmanager': '-Dmine=1' } });
    expect(fastOptions(job, fastFlags(job, false))).toEqual({
      'env.java.default-opts.jobmanager': `${BRIEF.join(' ')} -Dmine=1`,
      'env.java.default-opts.taskmanager': FULL[0],
      'containerized.master.env.JAVA_TOOL_OPTIONS': BRIEF[0],
      'containerized.taskmanager.env.JAVA_TOOL_OPTIONS': BRIEF[0],
    });
    const own = '-XX:SharedArchiveFile=/flink-dispatch-classes/scripts.jsa';
    const mapping = fastOptions(job, fastFlags(job, true))['containerized.master.env.JAVA_TOOL_OPTIONS'];
    expect(mapping).toBe(`${BRIEF[0] ?? ''} ${own} -Xlog:cds=off -Xlog:cds+dynamic=off`);
  });
});
