import type { Reason } from '../../../lib/core/reasons.ts';
import type { Submission } from './lab.ts';

/** Where a failure is made: in a namespace with the Roles of infra/kubernetes, or in one that lacks something. */
export type Place = 'allowed' | 'no-pods' | 'one-pod' | 'forbidden';

export interface Scenario {
  readonly name: string;
  readonly place?: Place;
  readonly submission: (files: string) => Partial<Submission>;
  readonly reason: Reason;
  readonly component: 'jobmanager' | 'taskmanager' | 'log';
  /** Seconds from the cluster's creation within which it must be named. */
  readonly within: number;
}

const options = (all: Readonly<Record<string, string>>) => () => ({ options: all });
/** More than any limit here: touched at the start, so that the kernel kills the process at once. */
const TOO_MUCH_MEMORY = '-Xms6g -Xmx6g -XX:+AlwaysPreTouch';

/** Pods of a TaskManager whose init container's image does not exist. */
export const BAD_INIT_IMAGE = `
apiVersion: v1
kind: Pod
metadata: { name: pod-template }
spec:
  initContainers: [{ name: fetch, image: 'localhost/none:1' }]
  containers: [{ name: flink-main-container }]
`;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'image-missing',
    submission: options({ 'kubernetes.container.image.ref': 'localhost/none:1' }),
    ...{ reason: 'ImagePullFailed', component: 'jobmanager', within: 40 },
  },
  {
    name: 'image-name-invalid',
    submission: options({ 'kubernetes.container.image.ref': 'localhost/NONE' }),
    ...{ reason: 'ImagePullFailed', component: 'jobmanager', within: 10 },
  },
  {
    name: 'main-class-missing',
    submission: () => ({ entryClass: 'no.such.Main' }),
    ...{ reason: 'MainClassMissing', component: 'log', within: 20 },
  },
  {
    name: 'jar-missing',
    submission: () => ({ jar: 'local:///opt/flink/usrlib/none.jar' }),
    ...{ reason: 'JarMissingInCluster', component: 'log', within: 20 },
  },
  {
    name: 'main-throws',
    submission: () => ({ args: ['--execution-mode', 'sideways'] }),
    ...{ reason: 'ApplicationFailed', component: 'log', within: 30 },
  },
  {
    name: 'jvm-options-refused',
    submission: options({ 'env.java.opts.jobmanager': '-Xmssideways' }),
    ...{ reason: 'InvalidConfiguration', component: 'log', within: 15 },
  },
  {
    name: 'configuration-refused',
    submission: options({ 'high-availability.type': 'kubernetes' }),
    ...{ reason: 'InvalidConfiguration', component: 'log', within: 20 },
  },
  {
    name: 'jobmanager-out-of-memory',
    submission: options({ 'env.java.opts.jobmanager': TOO_MUCH_MEMORY }),
    ...{ reason: 'JobManagerOutOfMemory', component: 'jobmanager', within: 20 },
  },
  {
    name: 'taskmanager-out-of-memory',
    submission: options({ 'env.java.opts.taskmanager': TOO_MUCH_MEMORY }),
    ...{ reason: 'TaskManagerOutOfMemory', component: 'log', within: 45 },
  },
  {
    name: 'jobmanager-unschedulable',
    submission: options({ 'kubernetes.jobmanager.cpu.amount': '500' }),
    ...{ reason: 'PodUnschedulable', component: 'jobmanager', within: 10 },
  },
  {
    name: 'taskmanager-unschedulable',
    submission: options({ 'kubernetes.taskmanager.cpu.amount': '500' }),
    ...{ reason: 'PodUnschedulable', component: 'taskmanager', within: 30 },
  },
  {
    name: 'taskmanager-image-missing',
    submission: (files) => ({
      options: { 'kubernetes.pod-template-file.taskmanager': `${files}/bad-init-image.yaml` },
    }),
    ...{ reason: 'ImagePullFailed', component: 'taskmanager', within: 60 },
  },
  {
    name: 'secret-of-environment-missing',
    submission: options({ 'kubernetes.env.secretKeyRef': 'env:TOKEN,secret:no-such-secret,key:token' }),
    ...{ reason: 'ContainerConfigError', component: 'jobmanager', within: 40 },
  },
  {
    name: 'secret-of-volume-missing',
    submission: options({ 'kubernetes.secrets': 'no-such-secret:/opt/secret' }),
    ...{ reason: 'ContainerConfigError', component: 'jobmanager', within: 50 },
  },
  {
    name: 'quota-of-jobmanager',
    place: 'no-pods',
    submission: () => ({}),
    ...{ reason: 'QuotaExceeded', component: 'jobmanager', within: 10 },
  },
  {
    name: 'quota-of-taskmanager',
    place: 'one-pod',
    submission: () => ({}),
    ...{ reason: 'QuotaExceeded', component: 'log', within: 30 },
  },
  {
    name: 'service-account-forbidden',
    place: 'forbidden',
    submission: options({ 'kubernetes.service-account': 'default' }),
    ...{ reason: 'ServiceAccountForbidden', component: 'log', within: 30 },
  },
  {
    name: 'service-account-missing',
    submission: options({ 'kubernetes.service-account': 'nobody' }),
    ...{ reason: 'ServiceAccountForbidden', component: 'jobmanager', within: 40 },
  },
];
