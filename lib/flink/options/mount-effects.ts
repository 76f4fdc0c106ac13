import type { OptionEntry } from './option-entry.ts';

const template = 'kubernetes.pod-template-file';

/** KubernetesConfigOptions of Flink 1.19 to 2.3: pod templates, mounts and Services. */
export const MOUNT_EFFECTS: readonly OptionEntry[] = [
  {
    key: 'kubernetes.container.image.pull-secrets',
    type: 'List<String>',
    subject: 'objects',
    effect: "Adds imagePullSecrets to the pods, after a pod template's; separated by semicolons.",
  },
  {
    key: `${template}.default`,
    type: 'String',
    deprecated: [template],
    subject: 'objects',
    effect:
      "The pod template of JobManager and TaskManagers where they have none of their own; Flink's container is flink-main-container.",
  },
  {
    key: `${template}.jobmanager`,
    type: 'String',
    fallback: [`${template}.default`],
    deprecated: [template],
    subject: 'objects',
    effect: "The JobManager's pod template.",
  },
  {
    key: `${template}.taskmanager`,
    type: 'String',
    fallback: [`${template}.default`],
    deprecated: [template],
    subject: 'objects',
    effect: "The TaskManagers' pod template: the file is copied into a ConfigMap and mounted in the JobManager.",
  },
  {
    key: 'kubernetes.hostnetwork.enabled',
    type: 'Boolean',
    default: 'false',
    subject: 'objects',
    effect: "Puts the pods on the node's network, with cluster DNS, and declares no container ports.",
  },
  {
    key: 'kubernetes.secrets',
    type: 'Map',
    subject: 'objects',
    effect: "Mounts Secrets into Flink's containers: secret:path pairs.",
  },
  {
    key: 'kubernetes.env.secretKeyRef',
    type: 'List<Map>',
    subject: 'objects',
    effect: 'Environment variables from Secrets: env, secret and key in each map.',
  },
  {
    key: 'kubernetes.persistent-volume-claims',
    type: 'Map',
    since: '2.3',
    subject: 'objects',
    effect: "Mounts PersistentVolumeClaims of the namespace into Flink's containers: claim:path pairs.",
  },
  {
    key: 'kubernetes.persistent-volume-claim-read-only',
    type: 'Boolean',
    default: 'false',
    since: '2.3',
    subject: 'objects',
    effect: 'Mounts the claims of kubernetes.persistent-volume-claims read-only.',
  },
  {
    key: 'kubernetes.hadoop.conf.config-map.name',
    type: 'String',
    subject: 'objects',
    effect: 'Mounts an existing ConfigMap as Hadoop configuration and sets HADOOP_CONF_DIR.',
  },
  {
    key: 'kubernetes.decorator.hadoop-conf-mount.enabled',
    type: 'Boolean',
    default: 'true',
    subject: 'objects',
    effect: 'false: no Hadoop configuration is mounted.',
  },
  {
    key: 'kubernetes.decorator.kerberos-mount.enabled',
    type: 'Boolean',
    default: 'true',
    subject: 'objects',
    effect: 'false: no Kerberos configuration is mounted.',
  },
  {
    key: 'kubernetes.rest-service.exposed.type',
    type: 'Enum',
    default: 'ClusterIP',
    subject: 'objects',
    effect: 'The type of the REST Service: ClusterIP, NodePort, LoadBalancer or Headless_ClusterIP.',
  },
  {
    key: 'kubernetes.rest-service.annotations',
    type: 'Map',
    subject: 'objects',
    effect: 'Annotations of the REST Service.',
  },
  {
    key: 'kubernetes.rest-service.labels',
    type: 'Map',
    since: '2.2',
    subject: 'objects',
    effect: 'Labels of the REST Service, over the common ones.',
  },
  {
    key: 'kubernetes.internal-service.annotations',
    type: 'Map',
    since: '1.20',
    subject: 'objects',
    effect: 'Annotations of the internal Service, which there is without high availability.',
  },
  {
    key: 'kubernetes.internal-service.labels',
    type: 'Map',
    since: '2.2',
    subject: 'objects',
    effect: 'Labels of the internal Service, over the common ones.',
  },
];
