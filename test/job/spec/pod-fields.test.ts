import { describe, expect, it } from 'vitest';
import { podModels } from '../../../infra/pod-fields/models.ts';
import recorded from '../../../lib/job/spec/pod-fields.json' with { type: 'json' };
import { parseManifestOrSpec } from '../../../lib/job/spec/manifest.ts';

const job = { name: 'a', job: { jarURI: 'local:///a.jar' } };
const MAIN = 'flink-main-container';

it('the fields of pods are those of the Kubernetes client', () => {
  expect(recorded).toEqual(podModels());
});

describe('a field of a pod template that no pod has', () => {
  it.each([
    [{ spec: { container: [] } }, 'podTemplate.spec.container is not a known field: did you mean containers?'],
    [
      { spec: { containers: [{ name: MAIN, enviroment: [] }] } },
      'podTemplate.spec.containers[0].enviroment is not a known field: did you mean env?',
    ],
    [
      { spec: { containers: [{ name: MAIN, env: [{ name: 'A', valueFrm: {} }] }] } },
      'env[0].valueFrm is not a known field: did you mean valueFrom?',
    ],
    [
      { spec: { volumes: [{ name: 'v', configmap: {} }] } },
      'volumes[0].configmap is not a known field: did you mean configMap?',
    ],
    [
      { spec: { affinity: { nodeAffinty: {} } } },
      'affinity.nodeAffinty is not a known field: did you mean nodeAffinity?',
    ],
    [{ metadata: { lables: {} } }, 'podTemplate.metadata.lables is not a known field: did you mean labels?'],
    [
      { spec: { tolerations: [{ key: 'a', zzzz: 1 }] } },
      'tolerations[0].zzzz is not a known field: known here are effect, key, operator',
    ],
  ])('%j is told with the nearest known one', (podTemplate, message) => {
    expect(() => parseManifestOrSpec({ ...job, podTemplate })).toThrow(message);
  });

  it('is told in the templates of the components as well', () => {
    const jobManager = { podTemplate: { spec: { nodeSelecter: {} } } };
    expect(() => parseManifestOrSpec({ ...job, jobManager })).toThrow(
      'jobManager.podTemplate.spec.nodeSelecter is not a known field: did you mean nodeSelector?',
    );
  });

  it("is none where the names are the author's own", () => {
    const spec = {
      nodeSelector: { 'acme.com/disk': 'ssd' },
      containers: [
        { name: MAIN, resources: { limits: { 'nvidia.com/gpu': 1 } }, envFrom: [{ secretRef: { name: 's' } }] },
      ],
    };
    expect(() =>
      parseManifestOrSpec({ ...job, podTemplate: { metadata: { labels: { any: 'x' } }, spec } }),
    ).not.toThrow();
  });
});

describe('other fields of a manifest', () => {
  const manifest = (more: object) => ({
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    spec: { job: job.job },
    ...more,
  });
  it.each([
    [{ metadata: { nane: 'a' } }, 'metadata.nane is not a known field: did you mean name?'],
    [{ apiVersion: 'flink.apache.org/v1alpha1' }, 'apiVersion must be flink.apache.org/v1beta1'],
    [
      { spec: { job: { ...job.job, upgradeMode: 'LAST_STATE' } } },
      'spec.job.upgradeMode must be one of stateless, savepoint, last-state',
    ],
    [{ statuss: {} }, 'statuss is not a known field: did you mean status?'],
  ])('%j', (more, message) => expect(() => parseManifestOrSpec(manifest(more))).toThrow(message));
});
