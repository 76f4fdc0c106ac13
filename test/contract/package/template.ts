import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../../../lib/core/json.ts';

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Metadata?: { readonly Justified?: Readonly<Record<string, string>> };
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: string | number }>>;
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** The CloudFormation template of a release. */
export function readTemplate(folder: string): Template {
  return JSON.parse(readFileSync(join(folder, 'template.json'), 'utf8')) as Template;
}

/** The resources that there are with these parameters, each with the branches of `Fn::If` that are taken. */
export function withParameters(template: Template, given: Readonly<Record<string, string>> = {}): Template {
  const { Conditions = {}, Parameters, Resources } = template;
  const valueOf = (name: string): unknown => given[name] ?? Parameters[name]?.Default;
  const holds = (condition: unknown): boolean => {
    if (typeof condition === 'string') return holds(Conditions[condition]);
    const [[kind = '', operands = []] = []] = Object.entries(condition as Readonly<Record<string, unknown>>);
    if (kind === 'Condition') return holds(operands);
    const [first, second] = list(operands);
    if (kind === 'Fn::Not') return !holds(first);
    if (kind === 'Fn::Equals') return textOf(first) === textOf(second);
    throw new Error(`the test knows no ${kind}`);
  };
  const textOf = (value: unknown): string => {
    if (!isRecord(value)) return String(value);
    const join = value['Fn::Join'] as readonly unknown[] | undefined;
    return join === undefined ? String(valueOf(String(value['Ref']))) : textOf(join[1]);
  };
  const taken = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(taken).filter((one) => one !== undefined);
    if (!isRecord(value)) return value;
    if (value['Ref'] === 'AWS::NoValue') return undefined;
    const choice = value['Fn::If'] as readonly unknown[] | undefined;
    if (choice !== undefined) return taken(holds(choice[0]) ? choice[1] : choice[2]);
    const members = Object.entries(value).map(([key, member]) => [key, taken(member)] as const);
    return Object.fromEntries(members.filter(([, member]) => member !== undefined));
  };
  const there = Object.entries(Resources).filter(([, { Condition }]) => Condition === undefined || holds(Condition));
  const resources = there.map(([id, resource]) => [id, taken(resource)] as const);
  return { ...template, Resources: Object.fromEntries(resources) as Template['Resources'] };
}

/** Texts of `Fn::Sub` as they are where the stack's own buckets are in use. */
export function withOwnBuckets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withOwnBuckets);
  if (!isRecord(value)) return value;
  const { 'Fn::Sub': sub } = value;
  if (!Array.isArray(sub) || !isRecord(sub[1])) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withOwnBuckets(member)]));
  }
  const { 'Fn::If': choice } = (sub[1]['bucket'] ?? {}) as { readonly 'Fn::If'?: readonly unknown[] };
  const own = isRecord(choice?.[1]) ? String(choice[1]['Fn::Sub']) : '${bucket}';
  return { 'Fn::Sub': String(sub[0]).replace('${bucket}', own) };
}

export function resourcesOf({ Resources }: Template, type: string): readonly (readonly [string, Resource])[] {
  return Object.entries(Resources).filter(([, { Type }]) => Type === type);
}

export interface Statement {
  /** `<logical id>/<Sid>`, or its number for a statement that has none. */
  readonly id: string;
  readonly justified: string | undefined;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
}

/** Every policy statement of a resource, whatever carries it; who may take a role or use a queue is one as well. */
export function statementsOf(id: string, { Properties, Metadata }: Resource): readonly Statement[] {
  return statementsIn(Properties).map((statement, index) => {
    const { Sid = index, Effect, Action, Resource: resource } = statement;
    const name = String(Sid);
    return {
      id: `${id}/${name}`,
      justified: Metadata?.Justified?.[name],
      effect: String(Effect),
      actions: list(Action).map(String),
      resources: list(resource),
    };
  });
}

function statementsIn(value: unknown): Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (!isRecord(value)) return [];
  return typeof value['Effect'] === 'string' ? [value] : Object.values(value).flatMap(statementsIn);
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** What the role of a function may do, by its own policies and by the managed ones that name it. */
export function allowedTo(template: Template, role: string): readonly Statement[] {
  const named = resourcesOf(template, 'AWS::IAM::ManagedPolicy').filter(([, { Properties }]) =>
    list(Properties['Roles']).some((one) => isRecord(one) && one['Ref'] === role),
  );
  const own = template.Resources[role];
  const policies = own === undefined ? [] : [[role, { ...own, Properties: { Policies: own.Properties['Policies'] } }]];
  return [...(policies as [string, Resource][]), ...named].flatMap(([id, resource]) => statementsOf(id, resource));
}

/** The logical ids that a value refers to, with `Ref`, `Fn::GetAtt` or inside a `Fn::Sub`. */
export function referencesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    if (key === 'Ref') return [String(member)];
    if (key === 'Fn::GetAtt') return [String(Array.isArray(member) ? member[0] : member).split('.')[0] ?? ''];
    if (key === 'DependsOn') return list(member).map(String);
    if (key !== 'Fn::Sub') return referencesIn(member);
    const text = Array.isArray(member) ? String(member[0]) : String(member);
    const names = [...text.matchAll(/\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9]+)?\}/g)].map(([, name = '']) => name);
    return [...names, ...(Array.isArray(member) ? referencesIn(member.slice(1)) : [])];
  });
}
