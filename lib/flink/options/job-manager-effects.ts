import type { OptionEntry } from './option-entry.ts';

const account = 'kubernetes.service-account';

/** KubernetesConfigOptions of Flink 1.19 to 2.3: the Deployment and its pods. */
export const JOB_MANAGER_EFFECTS: readonly OptionEntry[] = [
  {
    key: 'kubernetes.cluster-id',
    type: 'String',
    subject: 'objects',
    effect:
      'Names the Deployment, the Services and the ConfigMaps, and is the `app` label of all; at most 45 characters.',
  },
  {
    key: 'kubernetes.namespace',
    type: 'String',
    default: 'default',
    subject: 'objects',
    effect: 'The namespace of every object, and part of the address by which TaskManagers find the JobManager.',
  },
  {
    key: 'kubernetes.container.image.ref',
    type: 'String',
    default: 'apache/flink:<version>-scala_2.12',
    deprecated: ['kubernetes.container.image'],
    subject: 'objects',
    effect: "The image of Flink's container; set, it wins over a pod template's.",
  },
  {
    key: 'kubernetes.container.image.pull-policy',
    type: 'Enum',
    default: 'IfNotPresent',
    subject: 'objects',
    effect:
      "The imagePullPolicy of Flink's container: IfNotPresent, Always or Never; set, it wins over a pod template's.",
  },
  {
    key: 'kubernetes.entry.path',
    type: 'String',
    default: '/docker-entrypoint.sh',
    subject: 'objects',
    effect: "The command of Flink's container.",
  },
  {
    key: 'kubernetes.jobmanager.entrypoint.args',
    type: 'String',
    default: '',
    subject: 'objects',
    effect: "Appended to the JobManager's start command; a shell reads it.",
  },
  {
    key: 'kubernetes.flink.conf.dir',
    type: 'String',
    default: '/opt/flink/conf',
    subject: 'objects',
    effect: 'Where the configuration ConfigMap is mounted.',
  },
  {
    key: 'kubernetes.flink.log.dir',
    type: 'String',
    subject: 'objects',
    effect: 'Sets FLINK_LOG_DIR in the containers.',
  },
  {
    key: account,
    type: 'String',
    default: 'default',
    subject: 'objects',
    effect: 'The service account of all pods, where no account of their own is set.',
  },
  {
    key: 'kubernetes.jobmanager.service-account',
    type: 'String',
    default: 'default',
    fallback: [account],
    subject: 'objects',
    effect: "The JobManager's service account, which asks for TaskManager pods; set, it wins over a pod template's.",
  },
  {
    key: 'kubernetes.jobmanager.owner.reference',
    type: 'List<Map>',
    subject: 'objects',
    effect: 'Owners of the Deployment: when all of them are gone, Kubernetes removes the cluster.',
  },
  {
    key: 'kubernetes.jobmanager.replicas',
    type: 'Integer',
    default: '1',
    subject: 'objects',
    effect: 'JobManager pods of the Deployment; more than one needs high availability.',
  },
  {
    key: 'kubernetes.jobmanager.cpu.amount',
    type: 'Double',
    default: '1.0',
    deprecated: ['kubernetes.jobmanager.cpu'],
    subject: 'objects',
    effect: "The JobManager's CPU request.",
  },
  {
    key: 'kubernetes.jobmanager.cpu.limit-factor',
    type: 'Double',
    default: '1.0',
    subject: 'objects',
    effect: "The JobManager's CPU limit is the request times this, 1 or more.",
  },
  {
    key: 'kubernetes.jobmanager.memory.limit-factor',
    type: 'Double',
    default: '1.0',
    subject: 'objects',
    effect: "The JobManager's memory limit is the request times this, 1 or more.",
  },
  {
    key: 'kubernetes.jobmanager.labels',
    type: 'Map',
    subject: 'objects',
    effect: "Labels of the Deployment and of the JobManager's pods; Flink's own cannot be replaced.",
  },
  {
    key: 'kubernetes.jobmanager.annotations',
    type: 'Map',
    subject: 'objects',
    effect: "Annotations of the Deployment and of the JobManager's pods.",
  },
  {
    key: 'kubernetes.jobmanager.node-selector',
    type: 'Map',
    subject: 'objects',
    effect: "Node labels that the JobManager's pods ask for, merged over a pod template's.",
  },
  {
    key: 'kubernetes.jobmanager.tolerations',
    type: 'List<Map>',
    subject: 'objects',
    effect: "Tolerations of the JobManager's pods, after a pod template's; maps separated by semicolons.",
  },
];
