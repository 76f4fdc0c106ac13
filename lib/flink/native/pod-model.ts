import { isRecord } from '../../core/json.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Fields of a pod template by the type that Kubernetes' model gives them, wherever they stand in it. */
export const TEXT_FIELDS = words(`
  accessModes action add apiGroup apiVersion args audience cachingMode certificateChainPath claimName command
  conditionType containerName credentialBundlePath datasetName datasetUUID devicePath directory diskName diskURI divisor
  dnsPolicy driver drop effect endpoints fieldPath fieldsType finalizers fsGroupChangePolicy fsType gateway generateName
  gmsaCredentialSpec gmsaCredentialSpecName group host hostIP hostname hostnameOverride hostnames image imagePullPolicy
  initiatorName ip iqn iscsiInterface key keyPath keyType keyring kind level localhostProfile manager matchLabelKeys
  medium mismatchLabelKeys monitors mountPath mountPropagation name nameservers namespace namespaces nodeAffinityPolicy
  nodeName nodeTaintsPolicy operation operator path pdID pdName podGroupName pool portals preemptionPolicy prefix priorityClassName
  procMount protectionDomain protocol pullPolicy recursiveReadOnly reference registry repository request resource
  resourceClaimName resourceClaimTemplateName resourceName resourceVersion restartPolicy revision role runAsUserName
  runtimeClassName schedulerName scheme seLinuxChangePolicy searches secretFile secretName selfLink server service
  serviceAccount serviceAccountName shareName signerName sizeLimit stopSignal storageClassName storageMode
  storagePolicyID storagePolicyName storagePool subPath subPathExpr subdomain subresource supplementalGroupsPolicy system
  targetContainerName targetPortal targetWWNs tenant terminationMessagePath terminationMessagePolicy topologyKey type uid
  user value values volume volumeAttributesClassName volumeID volumeMode volumeName volumeNamespace volumePath
  whenUnsatisfiable workingDir wwids
`);
export const NUMBER_FIELDS = words(`
  activeDeadlineSeconds containerPort defaultMode deletionGracePeriodSeconds expirationSeconds failureThreshold fsGroup
  generation hostPort initialDelaySeconds lun maxExpirationSeconds maxSkew minDomains mode partition periodSeconds
  priority runAsGroup runAsUser seconds successThreshold supplementalGroups terminationGracePeriodSeconds timeoutSeconds
  tolerationSeconds weight
`);
export const BOOLEAN_FIELDS = words(`
  allowPrivilegeEscalation automountServiceAccountToken blockOwnerDeletion chapAuthDiscovery chapAuthSession controller
  enableServiceLinks hostIPC hostNetwork hostPID hostProcess hostUsers optional privileged readOnly
  readOnlyRootFilesystem runAsNonRoot setHostnameAsFQDN shareProcessNamespace sslEnabled stdin stdinOnce tty
`);
/** Maps whose values are all text. */
export const TEXT_MAPS = words(
  'annotations labels limits matchLabels nodeSelector options overhead requests userAnnotations volumeAttributes',
);
/** What the exit codes of a restart rule have under a name that is text everywhere else. */
const NUMBERS_OF_EXIT_CODES = 'exitCodes';

type Kind = 'text' | 'number' | 'boolean' | undefined;

/**
 * A pod template with each scalar as Kubernetes' model has it, as Jackson reads templates for Flink and for the operator:
 * numbers and booleans where there is text become text, `"9999"` a port, and YAML 1.1's `yes` a boolean where one is due.
 * @param written the same template with every scalar as its file has it, where there is a file: `1.0` stays `1.0`
 */
export function asPodModel(typed: unknown, written?: unknown): unknown {
  return convert(typed, written, undefined, '');
}

function convert(typed: unknown, written: unknown, kind: Kind, parent: string): unknown {
  if (Array.isArray(typed)) {
    return typed.map((item, i) => convert(item, Array.isArray(written) ? written[i] : undefined, kind, parent));
  }
  if (!isRecord(typed)) return scalar(typed, written, kind);
  const members = Object.entries(typed).map(([name, value]): [string, unknown] => {
    const below = isRecord(written) ? written[name] : undefined;
    return [name, convert(value, below, TEXT_MAPS.has(parent) ? 'text' : kindOf(name, parent), name)];
  });
  return Object.fromEntries(members);
}

function kindOf(name: string, parent: string): Kind {
  if (parent === NUMBERS_OF_EXIT_CODES && name === 'values') return 'number';
  if (TEXT_FIELDS.has(name)) return 'text';
  if (NUMBER_FIELDS.has(name)) return 'number';
  return BOOLEAN_FIELDS.has(name) ? 'boolean' : undefined;
}

function scalar(typed: unknown, written: unknown, kind: Kind): unknown {
  if (kind === 'text' && (typeof typed === 'number' || typeof typed === 'boolean')) {
    return typeof written === 'string' ? written : String(typed);
  }
  if (typeof typed !== 'string') return typed;
  // a quoted `"0400"` would be 400 to Jackson: left for Kubernetes to refuse
  if (kind === 'number' && /^-?(0|[1-9]\d{0,14})$/.test(typed)) return Number(typed);
  if (kind === 'boolean' && /^(true|yes|on)$/i.test(typed)) return true;
  return kind === 'boolean' && /^(false|no|off)$/i.test(typed) ? false : typed;
}
