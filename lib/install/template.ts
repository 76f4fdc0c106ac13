import { isRecord } from '../core/json.ts';
import type { DispatchConfig } from '../job/config/dispatch-config.ts';
import { policiesFor } from './rights/policies.ts';
import type { Resource, Resources, StackNames } from './rights/template-part.ts';
import { tenantResources } from './rights/tenants.ts';

/** A CloudFormation template: that of a release, or that of a stack. */
export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: string | number }>>;
  readonly Resources: Resources;
}

/** By which what the configuration needs is known in a stack's template, and replaced when the configuration is. */
const MARK = { FlinkDispatch: 'configuration' };

/** The template with what the configuration needs of AWS, in place of what another one needed. */
export function withConfiguration<T extends Template>(template: T, config: DispatchConfig, names: StackNames): T {
  const needed = { ...policiesFor(config, names), ...tenantResources(config.tenants, names) };
  const marked = Object.entries(needed).map(([id, resource]): [string, Resource] => [
    id,
    { ...resource, Metadata: { ...resource.Metadata, ...MARK } },
  ]);
  const own = Object.entries(template.Resources).filter(([, resource]) => !isOfConfiguration(resource));
  return { ...template, Resources: Object.fromEntries([...own, ...marked]) };
}

/**
 * The template with names of buckets as texts, by their logical ids: CloudFormation takes up what is there already only by a name
 * that it need not make.
 */
export function withBucketNames(template: Template, names: Readonly<Record<string, string>>): Template {
  const named = Object.entries(names).flatMap(([id, BucketName]) => {
    const bucket = template.Resources[id];
    return bucket === undefined ? [] : [[id, { ...bucket, Properties: { ...bucket.Properties, BucketName } }] as const];
  });
  return { ...template, Resources: { ...template.Resources, ...Object.fromEntries(named) } };
}

function isOfConfiguration({ Metadata }: Resource): boolean {
  return isRecord(Metadata) && Metadata['FlinkDispatch'] === MARK.FlinkDispatch;
}
