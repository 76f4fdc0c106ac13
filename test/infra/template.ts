import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type CollectionTag, type ScalarTag } from 'yaml';
import { isRecord } from '../../lib/core/json.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FUNCTIONS = ['Ref', 'Condition', 'GetAtt', 'Sub', 'If', 'Not', 'Equals', 'Select', 'Split'];

/** CloudFormation's short forms, as the long ones. */
const customTags = FUNCTIONS.flatMap((name): (ScalarTag | CollectionTag)[] => {
  const key = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
  return [
    { tag: `!${name}`, resolve: (text: string) => ({ [key]: text }) },
    {
      tag: `!${name}`,
      collection: 'seq',
      resolve: (node) => ({ [key]: (node as unknown as { toJSON(): unknown }).toJSON() }),
    },
  ];
});

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface FunctionConfig {
  readonly role: unknown;
  readonly timeout: number;
  readonly events?: readonly { readonly sqs: { readonly arn: unknown; readonly functionResponseType: string } }[];
}

export interface Template {
  readonly functions: Readonly<Record<string, FunctionConfig>>;
  readonly resources: Readonly<Record<string, Resource>>;
}

/** serverless.yml with the files it takes its resources from. */
export function readTemplate(): Template {
  const service = readYaml('serverless.yml') as {
    readonly functions: Readonly<Record<string, FunctionConfig>>;
    readonly resources: readonly string[];
  };
  const files = service.resources.map((reference) => /^\$\{file\((.+)\)\}$/.exec(reference)?.[1] ?? reference);
  const parts = files.map((file) => (readYaml(file) as { Resources?: Record<string, Resource> }).Resources ?? {});
  return { functions: service.functions, resources: Object.assign({}, ...parts) as Record<string, Resource> };
}

function readYaml(file: string): unknown {
  return parse(readFileSync(join(ROOT, file), 'utf8'), { customTags, merge: true }) as unknown;
}

export interface Statement {
  /** `<logical id>/<Sid>` */
  readonly id: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
}

/** Every policy statement of the template, whatever carries it. */
export function statements({ resources }: Template): readonly Statement[] {
  return Object.entries(resources).flatMap(([logicalId, { Properties }]) => statementsIn(logicalId, Properties));
}

function statementsIn(id: string, value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap((item) => statementsIn(id, item));
  if (!isRecord(value)) return [];
  const { Effect: effect, Action: action, Resource: resource, Sid: sid } = value;
  if (typeof effect !== 'string') return Object.values(value).flatMap((item) => statementsIn(id, item));
  const name = typeof sid === 'string' ? `${id}/${sid}` : id;
  return [{ id: name, effect, actions: list(action).map(String), resources: list(resource) }];
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
