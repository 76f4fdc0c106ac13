/** A spec that asks for more than `deployment` of judge.test.ts allows; `kind` is the row of the hole that it tries. */
export interface Hostile {
  readonly kind: string;
  readonly spec: Record<string, unknown>;
}

type Spec = Record<string, unknown>;

const option = (key: string, value: unknown): Spec => ({ flinkConfiguration: { [key]: value } });
const options = (map: Spec): Spec => ({ flinkConfiguration: map });
const pod = (spec: Spec): Spec => ({ podTemplate: { spec } });
const ofJobManager = (spec: Spec): Spec => ({ jobManager: { podTemplate: { spec } } });
const ofTaskManager = (spec: Spec): Spec => ({ taskManager: { podTemplate: { spec } } });
const main = (fields: Spec): Spec => pod({ containers: [{ name: 'flink-main-container', ...fields }] });
const LIMITS = { limits: { cpu: '100m', memory: '64Mi' } };
const side = (fields: Spec = {}, name = 'side'): Spec => ({ name, image: 'team/side:1', resources: LIMITS, ...fields });
const volume = (source: Spec): Spec => pod({ volumes: [{ name: 'v', ...source }] });
const nested = (key: string, value: unknown): Spec =>
  options(
    key
      .split('.')
      .reverse()
      .reduce<unknown>((inner, name) => ({ [name]: inner }), value) as Spec,
  );

const SECRETS: readonly Spec[] = [
  option('kubernetes.secrets', '{root: /mnt}'),
  option('kubernetes.secrets', '{"root": "/mnt"}'),
  option('kubernetes.secrets', 'root: /mnt\n'),
  option('kubernetes.secrets', '{"\\u0072oot": /mnt}'),
  option('kubernetes.secrets', "'root':'/mnt'"),
  option('kubernetes.secrets', 'job-a:/a,root:/mnt'),
  option('kubernetes.secrets', '{job-a: /a, ? root : /mnt}'),
  option('kubernetes.secrets.root', '/mnt'),
  nested('kubernetes.secrets.root', '/mnt'),
  option('kubernetes.secrets', '&x {root: /mnt}'),
  option('kubernetes.secrets', '{flink-jar-orders-1: /mnt}'),
  option('kubernetes.env.secretKeyRef', '[{env: A, secret: root, key: k}]'),
  option('kubernetes.env.secretKeyRef', '- env: A\n  secret: root\n  key: k'),
  option('kubernetes.env.secretKeyRef', "env:A,'secret':root,key:k"),
  option('kubernetes.env.secretKeyRef', "'env:A,secret:root,key:k'"),
  option('kubernetes.container.image.pull-secrets', '[root]'),
  option('kubernetes.container.image.pull-secrets', "job-a;'root'"),
];

/** Names that a reader might take for others: cut at control characters, in other scripts, with a wider blank. */
const LOOK_ALIKES: readonly Spec[] = [
  option('\u0001kubernetes.namespace', 'kube-system'),
  option('kubernetes.namespace\u00a0', 'kube-system'),
  option('kubernetes\u2024namespace', 'kube-system'),
  option('kubernetеs.namespace', 'kube-system'),
  option('KUBERNETES.NAMESPACE', 'kube-system'),
  option('kubernetes..namespace', 'kube-system'),
  { image: 'tеam/side:1' },
  { image: 'team\u2044side:1' },
  { serviceAccount: 'flіnk' },
  { namespace: 'ﬂink' },
  pod({ serviceAccountName: 'flink\u200b' }),
  { notify: ['https://sqs.eu。evil.com/.amazonaws.com/111122223333/q'] },
];

const ROLE = 'iam.amazonaws.com/role';
const MARKS: readonly Spec[] = ['jobmanager', 'taskmanager'].flatMap((component) => {
  const key = `kubernetes.${component}.annotations`;
  return [
    option(`${key}.${ROLE}`, 'admin'),
    nested(`${key}.iam`, { amazonaws: { 'com/role': 'admin' } }),
    option(key, `{"${ROLE}": admin}`),
    option(key, `{"\\x69am.amazonaws.com/role": admin}`),
    option(key, `\n${ROLE}: admin`),
    option(key, `\t'${ROLE}':admin`),
    option(key, `a:b,'${ROLE}':admin`),
    option(`kubernetes.${component}.labels`, 'sidecar.istio.io/inject:true'),
    option(`kubernetes.${component}.labels.azure.workload.identity/use`, 'true'),
    option(`kubernetes.${component}.labels`, '{app.kubernetes.io/managed-by: me}'),
    option(`kubernetes.${component}.annotations`, 'flink-dispatch.io/run-id:r'),
  ];
});

const FOREIGN_MARKS: readonly Spec[] = [
  'vault.hashicorp.com/agent-inject',
  'k8s.v1.cni.cncf.io/networks',
  'eks.amazonaws.com/role-arn',
  'sidecar.istio.io/userVolume',
  'container.apparmor.security.beta.kubernetes.io/x',
  'linkerd.io/inject',
  'prometheus.io/scrape',
  'cluster-autoscaler.kubernetes.io/safe-to-evict',
].flatMap((key) => [
  { podTemplate: { metadata: { annotations: { [key]: 'x' } } } },
  { taskManager: { podTemplate: { metadata: { labels: { [key]: 'x' } } } } },
]);

const claim = (spec: Spec): Spec =>
  volume({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], ...spec } } } });
const storage = (size: string): Spec => ({ resources: { requests: { storage: size } } });
const VOLUMES: readonly Spec[] = [
  claim({ ...storage('1Gi'), dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } }),
  claim({ ...storage('1Gi'), dataSourceRef: { kind: 'VolumeSnapshot', name: 'other' } }),
  claim({ ...storage('1Gi'), volumeName: 'pv-1' }),
  claim({ ...storage('1Gi'), selector: { matchLabels: { a: 'b' } } }),
  claim({ ...storage('1Gi'), storageClassName: 'gold' }),
  claim({ ...storage('1Gi'), volumeMode: 'Block' }),
  claim({ ...storage('1Gi'), volumeAttributesClassName: 'fast' }),
  claim(storage('100Ti')),
  claim(storage('1e18')),
  claim(storage('1Ei')),
  volume({ hostPath: { path: '/' } }),
  volume({ nfs: { server: 'x', path: '/' } }),
  volume({ csi: { driver: 'x' } }),
  volume({ image: { reference: 'evil/x' } }),
  volume({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }),
  volume({ projected: { sources: [{ clusterTrustBundle: { path: 't' } }] } }),
];

const AMOUNTS: readonly Spec[] = [
  option('taskmanager.cpu.cores', '512'),
  option('taskmanager.cpu.cores', '5.12e2'),
  nested('taskmanager.cpu.cores', 512),
  { ...option('taskmanager.cpu.cores', '512'), taskManager: { resource: { cpu: 1 } } },
  option('kubernetes.taskmanager.cpu', '512'),
  option('kubernetes.jobmanager.cpu', '512'),
  option('kubernetes.jobmanager.cpu.amount', '5e2'),
  option('kubernetes.taskmanager.cpu.limit-factor', '99'),
  option('kubernetes.jobmanager.memory.limit-factor', '99'),
  option('taskmanager.numberOfTaskSlots', '64'),
  // Java reads the digits of every script
  option('taskmanager.numberOfTaskSlots', '٦٤'),
  option('parallelism.default', '９９９９'),
  option('slotmanager.max-total-resource.cpu', '512'),
  nested('slotmanager.max-total-resource.memory', '100t'),
  option('jobmanager.memory.process.size', '1t'),
  { taskManager: { resource: { memory: '1Ti' } } },
  options({
    'external-resources': 'g',
    'external-resource.g.amount': 64,
    'external-resource.g.kubernetes.config-key': 'nvidia.com/gpu',
  }),
  options({
    'external-resources': '[g]',
    'external-resource.g.amount': 64,
    'external-resource.g.kubernetes.config-key': 'hugepages-2Mi',
  }),
  { taskManager: { resources: { requests: { 'nvidia.com/gpu': '64' } } } },
  { taskManager: { resource: { ephemeralStorage: '100Ti' } } },
  pod({ containers: Array.from({ length: 40 }, (_, i) => side({}, `side-${i}`)) }),
  pod({ containers: [side({ resources: {} })] }),
  pod({ containers: [side({ resources: { requests: { cpu: '1', memory: '1Gi' } } })] }),
  ofJobManager({ initContainers: [side({ resources: {} })] }),
  pod({
    containers: [1, 2, 3, 4, 5].map((i) => side({ resources: { limits: { cpu: '1', memory: '1Gi' } } }, `s${i}`)),
  }),
  pod({
    initContainers: [1, 2, 3].map((i) =>
      side({ restartPolicy: 'Always', resources: { limits: { cpu: '1500m', memory: '1Gi' } } }, `s${i}`),
    ),
  }),
  main({ resources: { limits: { 'nvidia.com/gpu': 64 } } }),
  main({ resources: { limits: { 'hugepages-1Gi': '100Gi' } } }),
  main({ resources: { claims: [{ name: 'x' }] } }),
  volume({ emptyDir: { medium: 'Memory' } }),
  volume({ emptyDir: { medium: 'Memory', sizeLimit: '1Ti' } }),
  volume({ emptyDir: { medium: 'HugePages' } }),
];

const ENDINGS: readonly Spec[] = [
  { podTemplate: { metadata: { finalizers: ['a/b'] } } },
  { taskManager: { podTemplate: { metadata: { finalizers: ['a/b'] } } } },
  { podTemplate: { metadata: { ownerReferences: [] } } },
  { podTemplate: { metadata: { deletionGracePeriodSeconds: 9 } } },
  pod({ terminationGracePeriodSeconds: 31_536_000 }),
  ofTaskManager({ terminationGracePeriodSeconds: 301 }),
  pod({ terminationGracePeriodSeconds: -1 }),
  main({ lifecycle: { preStop: { sleep: { seconds: 99_999 } } } }),
  main({ livenessProbe: { exec: { command: ['a'] }, terminationGracePeriodSeconds: 99_999 } }),
  main({ lifecycle: { stopSignal: 'SIGCONT' } }),
  main({ lifecycle: { preStop: { httpGet: { host: '10.0.0.1', port: 1 } } } }),
];

const ADDRESSES: readonly Spec[] = [
  'https://sqs.evil.com/x.amazonaws.com/111122223333/q',
  'https://sqs.eu.evil.amazonaws.com/111122223333/q',
  'https://sqs.eu@evil.com/.amazonaws.com/111122223333/q',
  'https://sqs.eu#.amazonaws.com/111122223333/q',
  'https://sqs.eu?.amazonaws.com/111122223333/q',
  'https://sqs.eu\\.amazonaws.com/111122223333/q',
  'https://sqs.eu:80.amazonaws.com/111122223333/q',
  'https://sqs.eu.amazonaws.com/111122223333/a/b',
  'https://sqs.eu.amazonaws.com/111122223333/../999/q',
  'http://sqs.eu.amazonaws.com/111122223333/q',
  'arn:aws:sns:eu:999999999999:111122223333:q',
  'arn:aws:sns:eu:111122223333:q:x',
]
  .map((address): Spec => ({ notify: [address] }))
  .concat([
    { image: 'team/a/b:1' },
    { image: 'evil.com/team/a:1' },
    pod({ containers: [side({ image: 'x/team/a' })] }),
  ]);

const TRUSTED: readonly Spec[] = [
  { command: ['sh'] },
  { args: ['-x'] },
  { image: 'team/side:1' },
  { env: [{ name: 'A', value: 'b' }] },
  { workingDir: '/x' },
  { volumeMounts: [{ name: 'node-logs', mountPath: '/y' }] },
  { lifecycle: { postStart: { exec: { command: ['sh'] } } } },
].flatMap((fields) => [
  pod({ containers: [{ name: 'log-shipper', ...fields }] }),
  ofTaskManager({ containers: [{ name: 'log-shipper', ...fields }] }),
]);
const TRUSTED_VOLUME: readonly Spec[] = [
  main({ volumeMounts: [{ name: 'node-logs', mountPath: '/host' }] }),
  pod({ containers: [side({ volumeMounts: [{ name: 'node-logs', mountPath: '/host' }] })] }),
  volume({ name: 'node-logs', emptyDir: {} }),
  main({ volumeMounts: [{ name: 'v', mountPath: '/opt/flink/conf/' }] }),
  main({ volumeMounts: [{ name: 'v', mountPath: '/opt/flink/./pod-template/x.yaml', subPath: 'x' }] }),
  main({ volumeMounts: [{ name: 'v', mountPath: '/opt/flink' }] }),
  main({ env: [{ name: 'FLINK_CONF_DIR', value: '/x' }] }),
  main({ envFrom: [{ prefix: 'FLINK_', secretRef: { name: 'job-a' } }] }),
];

const IDENTITY: readonly Spec[] = [
  pod({ tolerations: [{ operator: 'Exists' }] }),
  pod({ tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] }),
  option('kubernetes.jobmanager.tolerations', 'operator:Exists'),
  option('kubernetes.taskmanager.tolerations', '[{key: "node-role.kubernetes.io/master", operator: Exists}]'),
  pod({ nodeSelector: { 'node-role.kubernetes.io/control-plane': '' } }),
  option('kubernetes.taskmanager.node-selector', 'node-role.kubernetes.io/control-plane:true'),
  option('kubernetes.jobmanager.node-selector.kubernetes.io/hostname', 'n1'),
  pod({
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [] }] } },
    },
  }),
  pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'x' }] } } }),
  pod({ securityContext: { fsGroup: 0 } }),
  pod({ securityContext: { supplementalGroups: [0] } }),
  pod({ securityContext: { runAsGroup: 0 } }),
  pod({ securityContext: { runAsUser: '0' } }),
  pod({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'x' } } }),
  main({ securityContext: { runAsGroup: 0 } }),
  main({ securityContext: { seccompProfile: { type: 'Unconfined' } } }),
  main({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
  main({ securityContext: { privileged: 'true' } }),
  volume({ configMap: { name: 'flink-config-other' } }),
  volume({ projected: { sources: [{ configMap: { name: 'pod-template-other' } }] } }),
  volume({ projected: { sources: [{ secret: { name: 'flink-jar-other' } }] } }),
  main({ envFrom: [{ configMapRef: { name: 'flink-config-other' } }] }),
  main({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'start-permit-other', key: 'start' } } }] }),
  pod({ hostUsers: false }),
  pod({ shareProcessNamespace: true }),
  pod({ priorityClassName: 'system-node-critical' }),
  pod({ schedulerName: 'x' }),
  option('kubernetes.jobmanager.service-account', 'root'),
  option('kubernetes.taskmanager.service-account', 'root'),
  { namespace: 'kube-system' },
];

/** Probes, hooks and names by which the node, not the program, is made to ask somebody else. */
const ERRANDS: readonly Spec[] = [
  main({ startupProbe: { httpGet: { host: '169.254.169.254', port: 80, path: '/latest/meta-data' } } }),
  main({ readinessProbe: { tcpSocket: { host: '10.0.0.1', port: 22 } } }),
  main({ ports: [{ containerPort: 80, hostPort: 80 }] }),
  main({ ports: [{ containerPort: 6123, hostIP: '0.0.0.0' }] }),
  pod({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['s3.amazonaws.com'] }] }),
  pod({ dnsConfig: { nameservers: ['10.6.6.6'] } }),
  pod({ dnsPolicy: 'None', dnsConfig: { searches: ['evil.com'] } }),
  pod({ subdomain: 'orders', hostname: 'orders-rest' }),
  pod({ setHostnameAsFQDN: true }),
];

/** What a pod becomes beside what its containers are. */
const SHAPES: readonly Spec[] = [
  pod({ nodeName: 'control-plane-1' }),
  pod({ runtimeClassName: 'untrusted' }),
  pod({ overhead: { cpu: '64' } }),
  pod({ resources: { limits: { cpu: '64', memory: '1Ti' } } }),
  pod({ resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpu' }] }),
  pod({ ephemeralContainers: [side({ targetContainerName: 'flink-main-container' })] }),
  pod({ preemptionPolicy: 'PreemptLowerPriority', priority: 2_000_000_000 }),
  pod({ os: { name: 'windows' } }),
  pod({ readinessGates: [{ conditionType: 'never' }] }),
  pod({ schedulingGates: [{ name: 'never' }] }),
  pod({ enableServiceLinks: true, securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
  main({ securityContext: { capabilities: { add: ['SYS_PTRACE'] } } }),
  main({ securityContext: { procMount: 'Unmasked' } }),
  main({ volumeDevices: [{ name: 'v', devicePath: '/dev/sda' }] }),
  main({ stdin: true, tty: true }),
  main({ resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }),
];

/** Whole manifests, and fields of the FlinkDeployment that are no options. */
const MANIFESTS: readonly Spec[] = [
  { ingress: { template: 'evil.com/{{name}}' } },
  { logConfiguration: { 'log4j-console.properties': 'appender.x.type = Socket' } },
  { serviceAccount: 'flink', job: { savepointTriggerNonce: 1 } },
  { job: { allowNonRestoredState: 'yes' } },
  { job: { state: 'suspended' } },
  { imagePullPolicy: 'Never; rm' },
  { jobManager: { replicas: 9_999 } },
  { taskManager: { replicas: 9_999 } },
  {
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name: 'a', namespace: 'kube-system' },
  },
  { tenant: 'other' },
  { target: '__proto__' },
  { target: 'constructor' },
  { session: { clusterId: 'orders' } },
  { session: { pool: 'constructor' } },
  { concurrency: { key: '../locks/other', policy: 'replace' } },
  { notify: ['https://sqs.eu.amazonaws.com/111122223333/q?Action=DeleteQueue'] },
  { notify: ['https://sqs.eu.amazonaws.com/111122223333/%2e%2e/q'] },
  { notify: ['https://sqs.eu.amazonaws.com/111122223333/q#x'] },
  { notify: ['https://user:pass@sqs.eu.amazonaws.com/111122223333/q'] },
  { notify: ['arn:aws:sns:eu:111122223333:q\narn:aws:sns:eu:999999999999:q'] },
];

/** Keys of a bucket are any text. */
const KEYS: readonly Spec[] = [
  's3://jars/../ledger/x.jar',
  's3://jars@ledger/x.jar',
  's3://jars:80/x.jar',
  's3://Jars/a.jar',
  's3://jars/a.jar?versionId=1',
  's3://jars/a.jar#x',
  's3://jars/a%00.jar',
  's3://jars/a.jar\u0000',
  's3://jars//a.jar',
  's3a://ledger/a.jar',
  'S3://ledger/a.jar',
  's3:/ledger/a.jar',
  'local://evil.com/a.jar',
  'local:///a.jar;rm -rf /',
  'file:///etc/passwd',
  'https://evil.com/a.jar',
  'jar:s3://jars/a.jar!/x',
].map((jarURI): Spec => ({ job: { jarURI } }));

const rows: Readonly<Record<string, readonly Spec[]>> = {
  A: SECRETS,
  B: MARKS,
  C: VOLUMES,
  'D, E': AMOUNTS,
  F: FOREIGN_MARKS,
  G: ENDINGS,
  H: ADDRESSES,
  'look-alikes': LOOK_ALIKES,
  I: [...TRUSTED, ...TRUSTED_VOLUME],
  J: IDENTITY,
  errands: ERRANDS,
  shapes: SHAPES,
  manifests: MANIFESTS,
  keys: KEYS,
};

export const HOSTILE: readonly Hostile[] = Object.entries(rows).flatMap(([kind, specs]) =>
  specs.map((spec) => ({ kind, spec })),
);
