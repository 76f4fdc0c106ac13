import { option as o, withDefault } from './option.ts';

/** KubernetesConfigOptions, as far as it decides about the objects. What each does is told in catalogue.ts. */

const SERVICE_ACCOUNT = 'kubernetes.service-account';
const POD_TEMPLATE = 'kubernetes.pod-template-file.default';
const podTemplateKeys = { fallback: [POD_TEMPLATE, 'kubernetes.pod-template-file'] };

const EXPOSED_TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'Headless_ClusterIP'] as const;

export const KUBERNETES = {
  clusterId: o.string('kubernetes.cluster-id'),
  namespace: withDefault(o.string('kubernetes.namespace'), 'default'),
  image: o.string('kubernetes.container.image.ref', { deprecated: ['kubernetes.container.image'] }),
  imagePullPolicy: withDefault(
    o.enumeration('kubernetes.container.image.pull-policy', ['IfNotPresent', 'Always', 'Never']),
    'IfNotPresent',
  ),
  imagePullSecrets: o.list('kubernetes.container.image.pull-secrets'),
  entryPath: withDefault(o.string('kubernetes.entry.path'), '/docker-entrypoint.sh'),
  entrypointArgs: withDefault(o.string('kubernetes.jobmanager.entrypoint.args'), ''),
  confDir: withDefault(o.string('kubernetes.flink.conf.dir'), '/opt/flink/conf'),
  logDir: o.string('kubernetes.flink.log.dir'),
  configFile: o.string('kubernetes.config.file'),

  jobManagerServiceAccount: withDefault(
    o.string('kubernetes.jobmanager.service-account', { fallback: [SERVICE_ACCOUNT] }),
    'default',
  ),
  jobManagerOwners: o.mapList('kubernetes.jobmanager.owner.reference'),
  jobManagerReplicas: withDefault(o.int('kubernetes.jobmanager.replicas'), 1),
  jobManagerCpu: withDefault(
    o.double('kubernetes.jobmanager.cpu.amount', { deprecated: ['kubernetes.jobmanager.cpu'] }),
    1,
  ),
  jobManagerCpuLimitFactor: withDefault(o.double('kubernetes.jobmanager.cpu.limit-factor'), 1),
  jobManagerMemoryLimitFactor: withDefault(o.double('kubernetes.jobmanager.memory.limit-factor'), 1),
  jobManagerLabels: o.map('kubernetes.jobmanager.labels'),
  jobManagerAnnotations: o.map('kubernetes.jobmanager.annotations'),
  jobManagerNodeSelector: o.map('kubernetes.jobmanager.node-selector'),
  jobManagerTolerations: o.mapList('kubernetes.jobmanager.tolerations'),
  jobManagerPodTemplate: o.string('kubernetes.pod-template-file.jobmanager', podTemplateKeys),
  taskManagerPodTemplate: o.string('kubernetes.pod-template-file.taskmanager', podTemplateKeys),

  hostNetwork: withDefault(o.boolean('kubernetes.hostnetwork.enabled'), false),
  secrets: o.map('kubernetes.secrets'),
  envSecrets: o.mapList('kubernetes.env.secretKeyRef'),
  volumeClaims: o.map('kubernetes.persistent-volume-claims'),
  volumeClaimsReadOnly: withDefault(o.boolean('kubernetes.persistent-volume-claim-read-only'), false),
  hadoopConfigMap: o.string('kubernetes.hadoop.conf.config-map.name'),
  hadoopMount: withDefault(o.boolean('kubernetes.decorator.hadoop-conf-mount.enabled'), true),
  kerberosMount: withDefault(o.boolean('kubernetes.decorator.kerberos-mount.enabled'), true),

  exposedType: withDefault(o.enumeration('kubernetes.rest-service.exposed.type', EXPOSED_TYPES), 'ClusterIP'),
  restServiceAnnotations: o.map('kubernetes.rest-service.annotations'),
  restServiceLabels: o.map('kubernetes.rest-service.labels'),
  internalServiceAnnotations: o.map('kubernetes.internal-service.annotations'),
  internalServiceLabels: o.map('kubernetes.internal-service.labels'),

  localUpload: withDefault(o.boolean('kubernetes.artifacts.local-upload-enabled'), false),
  entryPointClass: o.string('kubernetes.internal.jobmanager.entrypoint.class'),
};
