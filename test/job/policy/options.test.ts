import { describe, expect, it } from 'vitest';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { checkOptions, isFreed, refuseOption } from '../../../lib/job/policy/policy-options.ts';
import { withSlotLimit } from '../../../lib/job/policy/policy-resources.ts';

const allowOf = (allow: readonly string[], deny: readonly string[] = [], more = '') =>
  parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { flinkVersion: '2.3', image: 'flink:2.3.0', serviceAccount: flink }
allow:
  images: [flink]
  options: { allow: ${JSON.stringify(allow)}, deny: ${JSON.stringify(deny)} }
${more}`).allow;

describe('an option', () => {
  const nothing = allowOf([]);

  it.each([
    ['state.backend.type', undefined],
    ['parallelism.default', undefined],
    ['a.program.reads', undefined],
    ['kubernetes.jobmanager.cpu.amount', undefined],
    ['kubernetes.operator.anything', undefined],
    ['kubernetes.secrets', undefined],
    ['kubernetes.env.secretKeyRef', undefined],
    ['kubernetes.container.image.ref', undefined],
    ['kubernetes.no.such.option', 'no known option'],
    ['kubernetes.cluster-id', 'set by the dispatcher alone'],
    ['internal.x', 'set by the dispatcher alone'],
    ['$internal.x', 'set by the dispatcher alone'],
    ['env.java.opts', 'allow.options.allow names what is'],
    ['slotmanager.max-total-resource.cpu', 'allow.options.allow names what is'],
    ['s3.secret-key', 'would put a secret into the run record'],
    ['my.PASSWORD', 'would put a secret into the run record'],
    ['my.access.key', 'would put a secret into the run record'],
  ])('%s: %s', (key, refusal) => {
    const message = refuseOption(key, 'x', nothing);
    if (refusal === undefined) expect(message).toBeUndefined();
    else expect(message).toContain(refusal);
  });

  it('is allowed and denied by the deployment, save what the dispatcher alone sets', () => {
    const allow = allowOf(['**'], ['state.*']);
    expect(refuseOption('env.java.opts', 'x', allow)).toBeUndefined();
    expect(refuseOption('s3.secret-key', 'x', allow)).toBeUndefined();
    expect(refuseOption('kubernetes.no.such.option', 'x', allow)).toBeUndefined();
    expect(refuseOption('state.backend.type', 'x', allow)).toContain('allow.options.deny');
    expect(refuseOption('kubernetes.cluster-id', 'x', allow)).toContain('by the dispatcher alone');
    expect(refuseOption('kubernetes.secrets', 'x', allowOf(['**'], ['kubernetes.secrets']))).toContain('options.deny');
  });

  it('by an older name is the same', () => {
    const allow = allowOf([], ['state.backend.type']);
    expect(refuseOption('state.backend', 'x', allow)).toContain('options.deny');
  });

  it('that has no value asks for nothing, unless it is the dispatcher’s', () => {
    expect(refuseOption('env.java.opts', undefined, nothing)).toBeUndefined();
    expect(refuseOption('kubernetes.cluster-id', undefined, nothing)).toContain('by the dispatcher alone');
  });

  it('is refused where the author wrote it, once, and not for what the deployment says as well', () => {
    const spec = { flinkConfiguration: { 'env.java.opts': 'x', 'state.backend.type': 'rocksdb' } };
    const asked = { 'env.java.opts': 'x', 'state.backend.type': 'rocksdb' };
    expect(checkOptions(asked, nothing, [spec, {}, spec])).toEqual([
      { field: 'flinkConfiguration["env.java.opts"]', message: expect.stringContaining('not allowed') as string },
    ]);
    expect(checkOptions({}, nothing, [spec])).toEqual([]);
    expect(checkOptions({}, nothing, [{ flinkConfiguration: { 'kubernetes.cluster-id': 'x' } }])).toHaveLength(1);
    // Its value stands under today's name.
    const old = { flinkConfiguration: { 'state.backend': 'x' } };
    expect(checkOptions({ 'state.backend.type': 'x' }, allowOf([], ['state.backend.type']), [old])).toHaveLength(1);
  });
});

describe('what an allowed option makes of the objects', () => {
  it.each([
    ['env.java.opts', ['env.*'], [], true],
    ['env.java.opts', [], [], false],
    ['env.java.opts', ['env.*'], ['env.java.*'], false],
    ['kubernetes.jobmanager.annotations', ['kubernetes.*'], [], true],
    ['kubernetes.taskmanager.labels.team', ['kubernetes.*'], [], true],
    ['kubernetes.jobmanager.tolerations', ['kubernetes.*'], [], true],
    ['kubernetes.jobmanager.node-selector', ['kubernetes.*'], [], true],
    ['kubernetes.jobmanager.annotationsx', ['kubernetes.*'], [], false],
    ['kubernetes.jobmanager.annotations', [], [], false],
    ['kubernetes.cluster-id', ['kubernetes.*'], [], false],
    ['kubernetes.secrets', ['kubernetes.*'], [], false],
    ['kubernetes.persistent-volume-claims', ['kubernetes.*'], [], false],
    ['parallelism.default', ['**'], [], false],
  ] as const)('%s, allowed by %j and denied by %j, is the deployment’s: %s', (key, allow, deny, freed) => {
    expect(isFreed(key, allowOf(allow, deny))).toBe(freed);
  });
});

describe('the limit on slots', () => {
  const KEY = 'slotmanager.number-of-slots.max';
  const allow = allowOf([], [], '  maxResources: { taskManagers: 4 }\n');

  it.each([
    [{}, '4'],
    [{ 'taskmanager.numberOfTaskSlots': '3' }, '12'],
    [{ [KEY]: '3' }, '3'],
    [{ [KEY]: '5' }, '4'],
    [{ [KEY]: '0' }, '4'],
    [{ [KEY]: '-1' }, '4'],
    [{ 'taskmanager.numberOfTaskSlots': '0' }, '4'],
  ])('of %j is %s', (options, most) => {
    expect(withSlotLimit(options, allow)).toEqual({ ...options, [KEY]: most });
  });
});
