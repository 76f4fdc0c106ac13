import type { Reason } from '../../../lib/core/reasons.ts';
import type { Spec } from './dispatcher.ts';

/** A failure that is made by what a job asks for, or by where it runs. */
export interface Scenario {
  readonly name: string;
  /** Pods that the namespace's quota allows; default: no quota. */
  readonly pods?: number;
  readonly spec: Spec;
  readonly reason: Reason;
  /** What tells the reason: the facts of one of the pods, or the JobManager's log. */
  readonly component: 'jobmanager' | 'taskmanager' | 'log';
  /** Seconds from the cluster's creation within which it must be announced, on a machine that is busy. */
  readonly within: number;
}

const WORD_COUNT = 'local:///opt/flink/usrlib/WordCount.jar';
const withOptions = (flinkConfiguration: Readonly<Record<string, string>>): Spec => ({
  job: { jarURI: WORD_COUNT },
  flinkConfiguration,
});
/** More than any limit here: touched at the start, so that the kernel kills the process at once. */
const TOO_MUCH_MEMORY = '-Xms6g -Xmx6g -XX:+AlwaysPreTouch';
const BAD_INIT_IMAGE = {
  spec: {
    initContainers: [{ name: 'fetch', image: 'localhost/none:1' }],
    containers: [{ name: 'flink-main-container' }],
  },
};

/** The patience of lib/cluster with what may pass, a look at the end of it, and a kubelet that is slow to tell. */
const PATIENT = 60;
/** Told by the first look at what Kubernetes says. */
const AT_ONCE = 20;
/** What an autoscaler is given to add a node, and a look. */
const NO_NODE = 80;
/** A JVM has to start first, beside others. */
const AFTER_START = 150;
/** TaskManagers that are refused, or die, have to be so for a while. */
const AFTER_TRIES = AFTER_START + 60;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'image-missing',
    spec: { job: { jarURI: WORD_COUNT }, image: 'localhost/none:1' },
    ...{ reason: 'ImagePullFailed', component: 'jobmanager', within: PATIENT },
  },
  {
    name: 'image-name-invalid',
    spec: { job: { jarURI: WORD_COUNT }, image: 'localhost/NONE' },
    ...{ reason: 'ImagePullFailed', component: 'jobmanager', within: AT_ONCE },
  },
  {
    name: 'main-class-missing',
    spec: { job: { jarURI: WORD_COUNT, entryClass: 'no.such.Main' } },
    ...{ reason: 'MainClassMissing', component: 'log', within: AFTER_START },
  },
  {
    name: 'jar-missing',
    spec: { job: { jarURI: 'local:///opt/flink/usrlib/none.jar' } },
    ...{ reason: 'JarMissingInCluster', component: 'log', within: AFTER_START },
  },
  {
    name: 'main-throws',
    spec: { job: { jarURI: WORD_COUNT, args: ['--execution-mode', 'sideways'] } },
    ...{ reason: 'ApplicationFailed', component: 'log', within: AFTER_START },
  },
  {
    name: 'jvm-options-refused',
    spec: withOptions({ 'env.java.opts.jobmanager': '-Xmssideways' }),
    ...{ reason: 'InvalidConfiguration', component: 'log', within: AFTER_START },
  },
  {
    name: 'configuration-refused',
    spec: withOptions({ 'high-availability.type': 'kubernetes' }),
    ...{ reason: 'InvalidConfiguration', component: 'log', within: AFTER_START },
  },
  {
    name: 'jobmanager-out-of-memory',
    spec: withOptions({ 'env.java.opts.jobmanager': TOO_MUCH_MEMORY }),
    ...{ reason: 'JobManagerOutOfMemory', component: 'jobmanager', within: AFTER_START },
  },
  {
    name: 'taskmanager-out-of-memory',
    spec: withOptions({ 'env.java.opts.taskmanager': TOO_MUCH_MEMORY }),
    ...{ reason: 'TaskManagerOutOfMemory', component: 'log', within: AFTER_TRIES },
  },
  {
    name: 'jobmanager-unschedulable',
    spec: { job: { jarURI: WORD_COUNT }, jobManager: { resource: { cpu: 500, memory: '900m' } } },
    ...{ reason: 'PodUnschedulable', component: 'jobmanager', within: NO_NODE },
  },
  {
    name: 'taskmanager-unschedulable',
    spec: { job: { jarURI: WORD_COUNT }, taskManager: { resource: { cpu: 500, memory: '1000m' } } },
    ...{ reason: 'PodUnschedulable', component: 'taskmanager', within: AFTER_START + NO_NODE },
  },
  {
    name: 'taskmanager-image-missing',
    spec: {
      job: { jarURI: WORD_COUNT },
      taskManager: { resource: { cpu: 0.1, memory: '1000m' }, podTemplate: BAD_INIT_IMAGE },
    },
    ...{ reason: 'ImagePullFailed', component: 'taskmanager', within: AFTER_START + PATIENT },
  },
  {
    name: 'secret-of-environment-missing',
    spec: withOptions({ 'kubernetes.env.secretKeyRef': 'env:TOKEN,secret:no-such-secret,key:token' }),
    ...{ reason: 'ContainerConfigError', component: 'jobmanager', within: PATIENT },
  },
  {
    name: 'secret-of-volume-missing',
    spec: withOptions({ 'kubernetes.secrets': 'no-such-secret:/opt/secret' }),
    ...{ reason: 'ContainerConfigError', component: 'jobmanager', within: PATIENT },
  },
  {
    name: 'quota-of-jobmanager',
    pods: 0,
    spec: { job: { jarURI: WORD_COUNT } },
    ...{ reason: 'QuotaExceeded', component: 'jobmanager', within: AT_ONCE },
  },
  {
    name: 'quota-of-taskmanager',
    pods: 1,
    spec: { job: { jarURI: WORD_COUNT } },
    ...{ reason: 'QuotaExceeded', component: 'log', within: AFTER_TRIES },
  },
  {
    name: 'service-account-forbidden',
    spec: { job: { jarURI: WORD_COUNT }, serviceAccount: 'default' },
    ...{ reason: 'ServiceAccountForbidden', component: 'log', within: AFTER_START },
  },
  {
    name: 'service-account-missing',
    spec: { job: { jarURI: WORD_COUNT }, serviceAccount: 'nobody' },
    ...{ reason: 'ServiceAccountForbidden', component: 'jobmanager', within: PATIENT },
  },
];
