import type {
  V1Container,
  V1Deployment,
  V1EnvVar,
  V1PodSpec,
  V1Probe,
  V1Service,
  V1Volume,
} from '@kubernetes/client-node';
import { parseQuantity } from '../../../lib/job/spec/quantity.ts';

/** What Kubernetes 1.35 fills in, as far as Flink's objects leave it out: each default on its own line. */
export function storedDeployment(deployment: V1Deployment): unknown {
  const { spec } = deployment;
  return {
    ...deployment,
    spec: {
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      ...spec,
      template: { ...spec?.template, ...(spec?.template.spec && { spec: storedPod(spec.template.spec) }) },
    },
  };
}

export function storedService(service: V1Service): unknown {
  const ports = service.spec?.ports?.map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port }));
  return { ...service, spec: { type: 'ClusterIP', ...service.spec, ports } };
}

/** Defaults of a pod. */
function storedPod(spec: V1PodSpec): unknown {
  const { priorityClassName, ...pod } = spec;
  return {
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    ...pod,
    ...(priorityClassName !== undefined && priorityClassName !== '' && { priorityClassName }),
    containers: spec.containers.map(storedContainer),
    ...(spec.initContainers && {
      initContainers: spec.initContainers.map(storedContainer),
    }),
    ...(spec.volumes && { volumes: spec.volumes.map(storedVolume) }),
  };
}

function storedContainer(container: V1Container): unknown {
  const { resources = {}, ports, env, livenessProbe } = container;
  return {
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...container,
    resources: {
      ...(resources.requests && { requests: quantities(resources.requests) }),
      ...(resources.limits && { limits: quantities(resources.limits) }),
    },
    ...(ports && {
      ports: ports.map((port) => ({ protocol: 'TCP', ...port })),
    }),
    ...(env && { env: env.map(storedVariable) }),
    ...(livenessProbe && { livenessProbe: storedProbe(livenessProbe) }),
  };
}

function storedVariable(variable: V1EnvVar): unknown {
  const { name, value, valueFrom } = variable;
  if (value === '') return { name };
  const fieldRef = valueFrom?.fieldRef;
  if (fieldRef === undefined) return { name, ...(value !== undefined && { value }), ...(valueFrom && { valueFrom }) };
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', ...fieldRef } } };
}

function storedProbe(probe: V1Probe): unknown {
  return {
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
    ...probe,
    ...(probe.httpGet && { httpGet: { scheme: 'HTTP', ...probe.httpGet } }),
  };
}

function storedVolume(volume: V1Volume): unknown {
  const { configMap, secret, persistentVolumeClaim, hostPath, projected, downwardAPI } = volume;
  return {
    ...volume,
    ...(configMap && { configMap: { defaultMode: 420, ...configMap } }),
    ...(secret && { secret: { defaultMode: 420, ...secret } }),
    ...(hostPath && { hostPath: { type: '', ...hostPath } }),
    ...(projected && { projected: { defaultMode: 420, ...projected } }),
    ...(downwardAPI && {
      downwardAPI: {
        defaultMode: 420,
        ...downwardAPI,
        items: downwardAPI.items?.map((item) => ({
          ...item,
          ...(item.fieldRef && { fieldRef: { apiVersion: 'v1', ...item.fieldRef } }),
        })),
      },
    }),
    ...(persistentVolumeClaim && {
      persistentVolumeClaim: {
        claimName: persistentVolumeClaim.claimName,
        ...(persistentVolumeClaim.readOnly === true && { readOnly: true }),
      },
    }),
  };
}

/** The server writes quantities in its canonical way: compare amounts, `1.0` is `1` and `1024Mi` is `1Gi`. */
export function quantities(map: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, { amount: amountOf(value) }]));
}

/** In thousandths, rounded up: finer amounts are not stored. */
function amountOf(text: string): number {
  if (/^\d+m$/.test(text)) return Number(text.slice(0, -1));
  const amount = /^[\d.]+[eE][+-]?\d+$/.test(text) ? Number(text) : parseQuantity(text);
  return Math.ceil(Number(`${Number(amount)}e3`));
}
