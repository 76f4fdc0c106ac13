import { badRequest } from './errors.ts';
import { isRecord, type KubeObject, type LabelSelector } from './objects.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const SET = /^(!?[^\s!=(),]+)\s+(in|notin)\s*\(([^)]*)\)$/;
const EQUALITY = /^([^\s!=(),]+)\s*(==|=|!=)\s*([^\s=(),]*)$/;
const EXISTS = /^(!?)\s*([^\s!=(),]+)$/;

function membership(key: string, operator: string, values: readonly string[]): Requirement {
  switch (operator) {
    case 'In':
      return (labels) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? '');
    case 'NotIn':
      return (labels) => !Object.hasOwn(labels, key) || !values.includes(labels[key] ?? '');
    case 'Exists':
      return (labels) => Object.hasOwn(labels, key);
    case 'DoesNotExist':
      return (labels) => !Object.hasOwn(labels, key);
    default:
      throw badRequest(`"${operator}" is not a valid label selector operator`);
  }
}

function requirement(text: string): Requirement {
  const set = SET.exec(text);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return membership(set[1] ?? '', set[2] === 'in' ? 'In' : 'NotIn', values);
  }
  const equality = EQUALITY.exec(text);
  if (equality !== null)
    return membership(equality[1] ?? '', equality[2] === '!=' ? 'NotIn' : 'In', [equality[3] ?? '']);
  const exists = EXISTS.exec(text);
  if (exists !== null) return membership(exists[2] ?? '', exists[1] === '!' ? 'DoesNotExist' : 'Exists', []);
  throw badRequest(`unable to parse requirement: "${text}"`);
}

/** `a=b,c in (d,e),!f`. @throws ApiError 400 */
export function parseLabelSelector(text: string): (object: KubeObject) => boolean {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  const all = parts.filter((part) => part !== '').map(requirement);
  return (object) => all.every((matches) => matches(object.metadata.labels ?? {}));
}

export function selects(selector: LabelSelector, labels: Labels | undefined): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);
  const expressions = selector.matchExpressions ?? [];
  return (
    equal && expressions.every(({ key, operator, values }) => membership(key, operator, values ?? [])(labels ?? {}))
  );
}

function valueAt(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const part of path.split('.')) value = isRecord(value) ? value[part] : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** `metadata.name=x,status.phase!=Running`. @throws ApiError 400 */
export function parseFieldSelector(text: string): (object: KubeObject) => boolean {
  const parts = text.split(',').filter((part) => part !== '');
  const all = parts.map((part) => {
    const match = /^([\w.]+)(==|=|!=)(.*)$/.exec(part.trim());
    if (match === null) throw badRequest(`invalid field selector: "${part}"`);
    const [, path = '', operator, wanted = ''] = match;
    return (object: KubeObject) => (valueAt(object, path) === wanted) === (operator !== '!=');
  });
  return (object) => all.every((matches) => matches(object));
}
