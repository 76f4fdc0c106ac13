import { describe, expect, it } from 'vitest';
import { mergeLayers } from '../../../lib/job/spec/layers.ts';
import { optionsOf } from '../../../lib/job/spec/options.ts';
import type { JobSpec } from '../../../lib/job/spec/spec.ts';

function options(...layers: JobSpec[]) {
  return optionsOf(mergeLayers(layers), 'a');
}

describe('mergeLayers', () => {
  it('merges maps and replaces the rest', () => {
    const merged = mergeLayers([
      { image: 'a', flinkConfiguration: { x: '1', y: '2' }, job: { args: ['1', '2'], parallelism: 2 } },
      { image: 'b', flinkConfiguration: { y: '3' }, job: { args: ['3'] } },
    ]);
    expect(merged).toEqual({
      image: 'b',
      flinkConfiguration: { x: '1', y: '3' },
      job: { args: ['3'], parallelism: 2 },
    });
  });

  const below: JobSpec = {
    image: 'low',
    job: { parallelism: 2 },
    taskManager: { resource: { cpu: 1, memory: '1g' } },
    flinkConfiguration: { 'pipeline.name': 'low' },
  };

  it.each([
    ['kubernetes.container.image', 'kubernetes.container.image.ref'],
    ['kubernetes.container.image.ref', 'kubernetes.container.image.ref'],
    ['parallelism.default', 'parallelism.default'],
    ['taskmanager.memory.process.size', 'taskmanager.memory.process.size'],
    ['kubernetes.taskmanager.cpu', 'kubernetes.taskmanager.cpu.amount'],
  ])('lets the option %s of a higher layer win over the field of a lower one', (written, read) => {
    expect(options(below, { flinkConfiguration: { [written]: '7' } })[read]).toBe('7');
    expect(options({ flinkConfiguration: { [written]: '7' } }, below)[read]).not.toBe('7');
  });

  it('lets the parallelism of a higher layer win over the replicas of a lower one', () => {
    expect(options({ taskManager: { replicas: 4 } }, { job: { parallelism: 3 } })['parallelism.default']).toBe('3');
    expect(options({ job: { parallelism: 3 } }, { taskManager: { replicas: 4 } })['parallelism.default']).toBe('4');
  });

  it('lets the older resource of a higher layer win over the newer resources of a lower one', () => {
    const newer: JobSpec = { taskManager: { resources: { requests: { memory: '4Gi' } } } };
    expect(options(newer, { taskManager: { resource: { memory: '2g' } } })['taskmanager.memory.process.size']).toBe(
      '2g',
    );
    expect(
      options(newer, { flinkConfiguration: { 'taskmanager.memory.process.size': '3g' } })[
        'taskmanager.memory.process.size'
      ],
    ).toBe('3g');
  });
});

describe('optionsOf', () => {
  it('maps fields as the operator does', () => {
    const spec: JobSpec = {
      image: 'flink:2.3.0',
      imagePullPolicy: 'Always',
      serviceAccount: 'flink',
      flinkVersion: '2.3',
      flinkConfiguration: { 'taskmanager.numberOfTaskSlots': '2' },
      jobManager: { resource: { cpu: 0.5, memory: '1g' }, replicas: 2 },
      taskManager: {
        resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '2Gi' } },
        replicas: 3,
      },
      job: { initialSavepointPath: 's3://s/1', allowNonRestoredState: true },
    };
    expect(optionsOf(spec, 'my-job')).toEqual({
      'kubernetes.container.image.ref': 'flink:2.3.0',
      'kubernetes.container.image.pull-policy': 'Always',
      'kubernetes.service-account': 'flink',
      'kubernetes.jobmanager.cpu.amount': '0.5',
      'jobmanager.memory.process.size': '1g',
      'kubernetes.jobmanager.replicas': '2',
      'kubernetes.taskmanager.cpu.amount': '0.5',
      'taskmanager.memory.process.size': '1073741824b',
      'kubernetes.taskmanager.cpu.limit-factor': '2',
      'kubernetes.taskmanager.memory.limit-factor': '2',
      'taskmanager.numberOfTaskSlots': '2',
      'parallelism.default': '6',
      'execution.state-recovery.path': 's3://s/1',
      'execution.state-recovery.ignore-unclaimed-state': 'true',
      'pipeline.name': 'my-job',
    });
  });

  it('restores by the names of 1.19', () => {
    expect(optionsOf({ flinkVersion: '1.19', job: { initialSavepointPath: 'x' } }, 'a')).toMatchObject({
      'execution.savepoint.path': 'x',
    });
  });

  it('gives last-state jobs checkpoints', () => {
    expect(optionsOf({ job: { upgradeMode: 'last-state' } }, 'a')['execution.checkpointing.interval']).toBe('5 min');
  });

  it('never sets an option beside its old name', () => {
    const both = {
      'kubernetes.container.image': 'old',
      'kubernetes.container.image.ref': 'new',
      'kubernetes.jobmanager.cpu': '1',
    };
    const result = optionsOf({ flinkConfiguration: both }, 'a');
    expect(Object.keys(result).sort()).toEqual([
      'kubernetes.container.image.ref',
      'kubernetes.jobmanager.cpu.amount',
      'pipeline.name',
    ]);
  });
});
