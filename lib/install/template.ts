import { isRecord } from '../core/json.ts';
import type { DispatchConfig } from '../job/config/dispatch-config.ts';
import { policiesFor } from './rights/policies.ts';
import type { Resource, Resources, StackNames } from './rights/template-part.ts';
import { tenantResources } from './rights/tenants.ts';

/** A CloudFormation template: that of a release, or that of a stack. */
export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: string | number }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Resources;
}

const BOUNDARY = {
  PermissionsBoundary: {
    'Fn::If': ['HasPermissionsBoundary', { Ref: 'PermissionsBoundary' }, { Ref: 'AWS::NoValue' }],
  },
};

/** By which what the configuration needs is known in a stack's template, and replaced when the configuration is. */
const MARK = { FlinkDispatch: 'configuration' };

/** The template with what the configuration needs of AWS, in place of what another one needed. */
export function withConfiguration<T extends Template>(template: T, config: DispatchConfig, names: StackNames): T {
  const needed = { ...policiesFor(config, names), ...tenantResources(config.tenants, names) };
  const marked = Object.entries(needed).map(([id, resource]): [string, Resource] => [
    id,
    { ...bounded(resource, template), Metadata: { ...resource.Metadata, ...MARK } },
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

/** As the release has it for its own roles (infra/aws/everywhere.mjs). An older stack knows of no boundary. */
function bounded(resource: Resource, { Conditions = {} }: Template): Resource {
  if (resource.Type !== 'AWS::IAM::Role' || !Object.hasOwn(Conditions, 'HasPermissionsBoundary')) return resource;
  return { ...resource, Properties: { ...resource.Properties, ...BOUNDARY } };
}

function isOfConfiguration({ Metadata }: Resource): boolean {
  return isRecord(Metadata) && Metadata['FlinkDispatch'] === MARK.FlinkDispatch;
}
