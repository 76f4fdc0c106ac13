import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { KubernetesObject } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesTools } from './kubernetes-tools.ts';

const INFRA = join(import.meta.dirname, '../../infra');
const tools = await kubernetesTools();
if (tools === undefined) process.stderr.write('SKIPPED: the Helm chart is rendered on Linux on x86-64 alone\n');

type Rendered = Readonly<Record<string, KubernetesObject & { readonly rules?: readonly object[] }>>;

function objects(program: string | undefined, argv: readonly string[]): Rendered {
  const text = execFileSync(program ?? '', argv, { encoding: 'utf8' });
  const all = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject | null);
  const named = all.flatMap((object) => {
    if (object === null) return [];
    const { namespace, name } = object.metadata ?? {};
    return [[`${object.kind ?? ''} ${namespace ?? '-'}/${name ?? ''}`, withoutNamespaceOfGroups(object)] as const];
  });
  return Object.fromEntries(named);
}

/** Kustomize gives every subject a namespace, also groups, which have none. */
function withoutNamespaceOfGroups(object: KubernetesObject): KubernetesObject {
  const { subjects } = object as { subjects?: { kind: string; namespace?: string }[] };
  for (const subject of subjects ?? []) if (subject.kind === 'Group') delete subject.namespace;
  return object;
}

const chart = (...sets: readonly string[]): Rendered =>
  objects(tools?.helm, ['template', 'tenants', join(INFRA, 'helm'), ...sets.flatMap((set) => ['--set-json', set])]);

describe.skipIf(tools === undefined)('the Helm chart', () => {
  it('makes what kustomize makes', () => {
    const kustomized = objects(tools?.kubectl, ['kustomize', join(INFRA, 'kubernetes/tenant')]);
    expect(Object.keys(kustomized).length).toBeGreaterThan(10);
    expect(chart()).toEqual(kustomized);
  });

  it('makes several tenants, each with what differs, and none that is taken away', () => {
    const made = chart('tenants={"flink":null,"a":{},"b":{"quota":{"pods":"5"},"network":{"enabled":false}}}');
    expect(Object.keys(made).filter((name) => name.includes('flink/'))).toEqual([]);
    const hard = (name: string): unknown => made[`ResourceQuota ${name}/flink`];
    expect(hard('a')).toMatchObject({ spec: { hard: { pods: '60', 'requests.cpu': '40' } } });
    expect(hard('b')).toMatchObject({ spec: { hard: { pods: '5', 'requests.cpu': '40' } } });
    const policies = Object.keys(made).filter((name) => name.startsWith('NetworkPolicy'));
    expect(policies.map((name) => name.split(/[ /]/)[1])).toEqual(['a', 'a', 'a']);
  });

  it('leaves out rights that a target does not need', () => {
    const made = chart('defaults.dispatcher={"writesSecrets":false,"usesServiceProxy":false}');
    const role = JSON.stringify(made['Role flink/flink-dispatch']?.rules);
    expect(role).not.toMatch(/secrets|services\/proxy/);
    expect(role).toContain('pods/log');
    const flink = chart('defaults.flink={"highAvailability":false,"annotations":{"a/b":"c"}}');
    expect(JSON.stringify(flink['Role flink/flink']?.rules)).not.toContain('configmaps');
    expect(flink['ServiceAccount flink/flink']?.metadata?.annotations).toEqual({ 'a/b': 'c' });
  });

  it('refuses a value that it does not know', () => {
    expect(() => chart('defaults.dispatcher={"writeSecrets":false}')).toThrow('writeSecrets');
    expect(() => chart('tenants.flink={"quotas":{}}')).toThrow('quotas');
  });
});
