import { isRecord } from '../../core/json.ts';
import { parseQuantity } from '../spec/quantity.ts';
import { annotations, labels } from './metadata-rules.ts';
import { claimName, configMapName, secretName, storageClass } from './references.ts';
import { fields, items, only, plain, refuse, show, type Place, type Rule } from './rules.ts';

const paths = items(fields({ key: plain, path: plain, mode: plain }), 'path');
const fieldRef = fields({ apiVersion: plain, fieldPath: plain });
const resourceFieldRef = fields({ containerName: plain, resource: plain, divisor: plain });
const downward = items(fields({ path: plain, mode: plain, fieldRef, resourceFieldRef }), 'path');
const configMap = { name: configMapName, items: paths, optional: plain };

function atMost(rule: string, most: (place: Place) => number): Rule {
  return (value, place) => {
    const size = parseQuantity(show(value));
    if (size !== undefined && size <= most(place)) return [];
    return refuse(place, `${show(value)} is more than the allowed ${most(place)} (${rule})`);
  };
}

const ephemeralSize = atMost(
  'allow.maxResources.ephemeralVolumes',
  ({ context }) => context.allow.maxResources.ephemeralVolumes,
);

/** A claim that is made with the pod: empty, of an allowed class, and never one of a volume that is there. */
const claimTemplate = fields({
  metadata: fields({ labels, annotations }),
  spec: fields({
    accessModes: plain,
    storageClassName: storageClass,
    volumeMode: only('Filesystem'),
    resources: fields({ requests: fields({ storage: ephemeralSize }), limits: fields({ storage: ephemeralSize }) }),
  }),
});

const sizeLimit: Rule = (value, place) =>
  parseQuantity(show(value)) === undefined ? refuse(place, `${show(value)} is no quantity`) : [];

const source = fields({
  name: plain,
  emptyDir: fields({ medium: only('', 'Memory'), sizeLimit }),
  configMap: fields({ ...configMap, defaultMode: plain }),
  secret: fields({ secretName, items: paths, optional: plain, defaultMode: plain }),
  downwardAPI: fields({ items: downward, defaultMode: plain }),
  persistentVolumeClaim: fields({ claimName, readOnly: plain }),
  ephemeral: fields({ volumeClaimTemplate: claimTemplate }),
  projected: fields({
    defaultMode: plain,
    sources: items(
      fields({
        secret: fields({ name: secretName, items: paths, optional: plain }),
        configMap: fields(configMap),
        downwardAPI: fields({ items: downward }),
      }),
    ),
  }),
});

/** A volume of the deployment's own is not changed: its containers rely on it. */
export const volume: Rule = (value, place) =>
  place.base === undefined
    ? source(value, place)
    : refuse(place, "is the deployment's own volume: choose another name");

/** The deployment's volumes that its list would give to nobody. */
export function closedVolumes(base: unknown, place: Place): ReadonlySet<string> {
  const all: readonly unknown[] = Array.isArray(base) ? base : [];
  const alone = { ...place, base: undefined };
  const closed = all.filter((one) => source(one, alone).length > 0);
  return new Set(closed.flatMap((one) => (isRecord(one) && typeof one['name'] === 'string' ? [one['name']] : [])));
}

/** What the pod's ephemeral volumes and memory volumes take together, in bytes. */
export function volumeSizes(volumes: unknown): { readonly ephemeral: number; readonly memory: number } {
  const all = Array.isArray(volumes) ? volumes.filter(isRecord) : [];
  const sum = (read: (one: Record<string, unknown>) => number) => all.reduce((total, one) => total + read(one), 0);
  return {
    ephemeral: sum((one) =>
      quantityAt(one, ['ephemeral', 'volumeClaimTemplate', 'spec', 'resources', 'requests', 'storage']),
    ),
    memory: sum(({ emptyDir }) =>
      isRecord(emptyDir) && emptyDir['medium'] === 'Memory'
        ? (parseQuantity(show(emptyDir['sizeLimit'] ?? '')) ?? Infinity)
        : 0,
    ),
  };
}

function quantityAt(value: unknown, path: readonly string[]): number {
  let at = value;
  for (const step of path) at = isRecord(at) ? at[step] : undefined;
  return at === undefined ? 0 : (parseQuantity(show(at)) ?? Infinity);
}
