import type { V1Container } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { mostOf, podAmounts } from '../../../lib/job/judge/amounts.ts';
import { volumeSizes } from '../../../lib/job/judge/volume-rules.ts';

const { allow } = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { flinkVersion: '2.3', image: 'flink:2.3.0', serviceAccount: flink }
allow: { images: [flink], maxResources: { cpu: 4, memory: 8g, others: { ephemeral-storage: 1Gi } } }
`);

const takes = (name: string, cpu: string, more: Partial<V1Container> = {}): V1Container => ({
  ...{ name, resources: { requests: { cpu } } },
  ...more,
});
const cpu = (spec: Parameters<typeof podAmounts>[0]) => podAmounts(spec).get('cpu');
const stays = { restartPolicy: 'Always' } as const;

describe('what a pod takes', () => {
  it('is the larger of request and limit of each container, together', () => {
    const limited = { name: 'a', resources: { requests: { cpu: '1', memory: '2' }, limits: { cpu: '3' } } };
    const asking = { name: 'b', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } };
    expect(Object.fromEntries(podAmounts({ containers: [limited, asking, { name: 'c' }] }))).toEqual({
      cpu: 5,
      memory: 2,
    });
    expect(podAmounts({})).toEqual(new Map());
  });

  it('is what an init container takes alone, where that is more', () => {
    const containers = [takes('a', '2')];
    expect(cpu({ containers, initContainers: [takes('i', '3'), takes('j', '1')] })).toBe(3);
    expect(cpu({ containers, initContainers: [takes('i', '1')] })).toBe(2);
  });

  it('has what stays beside all that comes after it', () => {
    const containers = [takes('a', '2')];
    expect(cpu({ containers, initContainers: [takes('s', '1', stays)] })).toBe(3);
    expect(cpu({ containers, initContainers: [takes('s', '1', stays), takes('i', '4')] })).toBe(5);
    expect(cpu({ containers, initContainers: [takes('i', '4'), takes('s', '1', stays)] })).toBe(4);
    expect(cpu({ containers, initContainers: [takes('s', '1', stays), takes('t', '2', stays)] })).toBe(5);
  });

  it('is without bound where it cannot be read', () => {
    expect(cpu({ containers: [takes('a', 'a lot')] })).toBe(Infinity);
  });

  it('may be as much as is configured, and of what is not configured nothing', () => {
    expect(
      ['cpu', 'memory', 'ephemeral-storage', 'nvidia.com/gpu', 'toString'].map((name) => mostOf(name, allow)),
    ).toEqual([...[4, 8 * 1024 ** 3, 1024 ** 3, 0, 0]]);
  });
});

describe('what the volumes of a pod take', () => {
  const claim = (storage: unknown) => ({
    ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage } } } } },
  });
  const memory = (sizeLimit?: string) => ({ emptyDir: { medium: 'Memory', ...(sizeLimit && { sizeLimit }) } });

  it('is the sum of their claims, and of what they hold in memory', () => {
    expect(volumeSizes([claim('1Ki'), claim('2Ki'), memory('1Ki'), memory('3Ki')])).toEqual({
      ephemeral: 3072,
      memory: 4096,
    });
    expect(volumeSizes([{ emptyDir: {} }, { emptyDir: { sizeLimit: '1Ki' } }, { secret: {} }, 'x'])).toEqual({
      ephemeral: 0,
      memory: 0,
    });
    expect(volumeSizes(undefined)).toEqual({ ephemeral: 0, memory: 0 });
  });

  it('is without bound where they do not say how much, or nobody can read it', () => {
    expect(volumeSizes([memory()]).memory).toBe(Infinity);
    expect(volumeSizes([memory('a lot')]).memory).toBe(Infinity);
    expect(volumeSizes([claim('a lot')]).ephemeral).toBe(Infinity);
  });
});
