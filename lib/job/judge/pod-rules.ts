import type { V1PodSpec } from '@kubernetes/client-node';
import { MAIN_CONTAINER } from '../../flink/native/flink-pod.ts';
import { isRecord } from '../../core/json.ts';
import { matchesKey } from '../policy/names.ts';
import { container, gracePeriod } from './container-rules.ts';
import { objectMetadata, templateMetadata } from './metadata-rules.ts';
import { secretName, serviceAccount } from './references.ts';
import { fields, items, keyed, named, only, plain, refuse, show, type Rule } from './rules.ts';
import { podSecurity } from './security-rules.ts';
import { volume } from './volume-rules.ts';

const nodeLabel = named('allow.nodeLabels', (key, allow) => matchesKey(allow.nodeLabels, key));
const expressions = items(fields({ key: nodeLabel, operator: plain, values: plain }), 'key');
const nodeTerm = fields({ matchExpressions: expressions, matchFields: only() });
const selector: Rule = (value, place) => (isRecord(value) ? [] : refuse(place, 'must be a mapping'));
/** Within the pod's own namespace, and a wish: a demand would keep the pods of others off the node. */
const near = fields({
  preferredDuringSchedulingIgnoredDuringExecution: items(
    fields({ weight: plain, podAffinityTerm: fields({ labelSelector: selector, topologyKey: plain }) }),
  ),
});
const affinity = fields({
  nodeAffinity: fields({
    requiredDuringSchedulingIgnoredDuringExecution: fields({ nodeSelectorTerms: items(nodeTerm) }),
    preferredDuringSchedulingIgnoredDuringExecution: items(fields({ weight: plain, preference: nodeTerm })),
  }),
  podAffinity: near,
  podAntiAffinity: near,
});

/** One without a key tolerates every taint. */
const toleration: Rule = (value, place) => {
  const key = isRecord(value) ? value['key'] : undefined;
  if (typeof key !== 'string' || key === '' || !matchesKey(place.context.allow.tolerations, key)) {
    return refuse(
      place,
      `${key === undefined ? 'every taint' : show(key)} is not allowed (allow.tolerations)`,
      show(key ?? 'Exists'),
    );
  }
  return fields({ key: plain, operator: plain, value: plain, effect: plain, tolerationSeconds: plain })(value, place);
};

/** How names are looked up is the whole pod's: a user's answer would lead the deployment's own containers elsewhere. */
function lookUps(rule: Rule): Rule {
  return (value, place) =>
    place.context.hasOwnContainers
      ? refuse(place, "is not allowed: the deployment's own containers in the pod look names up by it")
      : rule(value, place);
}

/** Beside Flink's. */
export function hasContainers(spec: V1PodSpec | undefined): boolean {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return all.some(({ name }) => name !== MAIN_CONTAINER);
}

const podSpec = fields({
  containers: items(container),
  initContainers: items(container),
  volumes: items(volume),
  nodeSelector: keyed('allow.nodeLabels', (key, allow) => matchesKey(allow.nodeLabels, key)),
  affinity,
  tolerations: items(toleration, 'unkeyed'),
  topologySpreadConstraints: items(
    fields({
      maxSkew: plain,
      minDomains: plain,
      topologyKey: plain,
      whenUnsatisfiable: plain,
      labelSelector: selector,
      matchLabelKeys: plain,
      nodeAffinityPolicy: plain,
      nodeTaintsPolicy: plain,
    }),
  ),
  imagePullSecrets: items(fields({ name: secretName })),
  securityContext: podSecurity,
  serviceAccountName: serviceAccount,
  serviceAccount,
  automountServiceAccountToken: plain,
  terminationGracePeriodSeconds: gracePeriod,
  activeDeadlineSeconds: plain,
  dnsPolicy: lookUps(only('ClusterFirst', 'Default', 'None')),
  dnsConfig: lookUps(
    fields({ nameservers: plain, searches: plain, options: items(fields({ name: plain, value: plain })) }),
  ),
  hostAliases: lookUps(items(fields({ ip: plain, hostnames: plain }), 'ip')),
  restartPolicy: plain,
  enableServiceLinks: plain,
  hostNetwork: only(false),
  hostPID: only(false),
  hostIPC: only(false),
});

/** A pod as it will be created. */
export const finishedPod = fields({ metadata: objectMetadata, spec: podSpec });
/** A template as somebody wrote it. */
export const writtenTemplate = fields({ metadata: templateMetadata, spec: podSpec });
