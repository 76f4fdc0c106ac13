import * as client from '@kubernetes/client-node';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

/** The fields of every model that a pod template is made of, each with the model below it or an empty text. */
export function podModels(): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  const add = (model: string): void => {
    const attributes = attributesOf(model);
    if (attributes === undefined || found[model] !== undefined) return;
    found[model] = {};
    const fields = attributes.map(({ baseName, type }) => [baseName, modelIn(type)] as const);
    found[model] = Object.fromEntries(fields);
    for (const [, below] of fields) add(below);
  };
  add('V1PodTemplateSpec');
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function attributesOf(model: string): readonly Attribute[] | undefined {
  const type = (client as unknown as Record<string, { attributeTypeMap?: readonly Attribute[] } | undefined>)[model];
  return type?.attributeTypeMap;
}

/** `V1Container` of `Array<V1Container>`; nothing for plain values and maps. */
function modelIn(type: string): string {
  const name = /^(?:Array<)?(\w+)>?$/.exec(type)?.[1] ?? '';
  return attributesOf(name) === undefined ? '' : name;
}
