import { normalize } from 'node:path/posix';
import { isRecord } from '../../core/json.ts';
import { MAIN_CONTAINER } from '../../flink/native/flink-pod.ts';
import { parseQuantity } from '../spec/quantity.ts';
import { mostOf } from './amounts.ts';
import { configMapName, image, secretName } from './references.ts';
import { containerSecurity } from './security-rules.ts';
import { below, fields, items, only, plain, refuse, show, type Place, type Rule } from './rules.ts';

/** Variables that the image's entry point, the shell or Java obey before any program does. */
const RESERVED_ENV = /^(FLINK_|LD_|BASH_|JDK_|_?JAVA_(TOOL_)?OPTIONS$|JVM_ARGS$|ENV$|PATH$|JOB_MANAGER_RPC_ADDRESS$)/;
/** Where Flink's configuration, its pod template and its programs are. */
const RESERVED_PATHS = ['/opt/flink/conf', '/opt/flink/pod-template', '/opt/flink/bin', '/var/run/secrets'];

const envName: Rule = (value, place) =>
  RESERVED_ENV.test(show(value)) ? refuse(place, `${show(value)} is not allowed: Flink's start obeys it`) : [];

const optional = { key: plain, optional: plain };
const variable = fields({
  name: envName,
  value: plain,
  valueFrom: fields({
    fieldRef: fields({ apiVersion: plain, fieldPath: plain }),
    resourceFieldRef: fields({ containerName: plain, resource: plain, divisor: plain }),
    secretKeyRef: fields({ name: secretName, ...optional }),
    configMapKeyRef: fields({ name: configMapName, ...optional }),
  }),
});

const envFrom = items(
  fields({
    prefix: envName,
    secretRef: fields({ name: secretName, optional: plain }),
    configMapRef: fields({ name: configMapName, optional: plain }),
  }),
);

/** Without a host: the node itself makes the call. */
const handler = {
  exec: fields({ command: plain }),
  httpGet: fields({
    path: plain,
    port: plain,
    scheme: plain,
    httpHeaders: items(fields({ name: plain, value: plain })),
  }),
  tcpSocket: fields({ port: plain }),
  grpc: fields({ port: plain, service: plain }),
};

export const gracePeriod: Rule = (value, place) => {
  const most = place.context.allow.maxTerminationGracePeriod / 1000;
  if (typeof value === 'number' && value >= 0 && value <= most) return [];
  return refuse(place, `${show(value)} is more than the allowed ${most} seconds (allow.maxTerminationGracePeriod)`);
};

const probe = fields({
  ...handler,
  initialDelaySeconds: plain,
  periodSeconds: plain,
  timeoutSeconds: plain,
  successThreshold: plain,
  failureThreshold: plain,
  terminationGracePeriodSeconds: gracePeriod,
});

/** Kubernetes ends a hook with the pod's grace period, which is bounded. */
const hook = fields({ ...handler, sleep: fields({ seconds: gracePeriod }) });

const mount: Rule = (value, place) => {
  const { name, mountPath } = isRecord(value) ? value : {};
  if (place.context.closedVolumes.has(show(name))) {
    return refuse(place, `the deployment's own volume ${show(name)} is not allowed`, show(name));
  }
  const path = normalize(`/${show(mountPath)}/`);
  const reserved = RESERVED_PATHS.find((own) => path.startsWith(`${own}/`) || `${own}/`.startsWith(path));
  if (reserved !== undefined && !isFlinks(name, mountPath, place))
    return refuse(place, `${show(mountPath)} is not allowed: ${reserved} is Flink's own`);
  return fields({
    name: plain,
    mountPath: plain,
    readOnly: plain,
    subPath: plain,
    subPathExpr: plain,
    recursiveReadOnly: plain,
    mountPropagation: only('None', 'HostToContainer'),
  })(value, place);
};

/** Flink mounts the template that a user's part is in; a template itself may not. */
function isFlinks(name: unknown, mountPath: unknown, { context }: Place): boolean {
  return context.finished && name === 'pod-template-volume' && mountPath === '/opt/flink/pod-template';
}

const amounts: Rule = (value, place) => {
  if (!isRecord(value)) return refuse(place, 'must be a mapping');
  return Object.entries(value).flatMap(([name, asked]) => {
    const at = below(place, name);
    if (asked === at.base) return [];
    // of a built main container these two are Flink's, and judged with the pod
    const most = mostOf(name, place.context.allow);
    const amount = parseQuantity(show(asked));
    if (amount !== undefined && amount <= most) return [];
    return refuse(at, `${show(asked)} is more than the allowed ${most} (allow.maxResources)`, name);
  });
};

const CONTAINER: Readonly<Record<string, Rule>> = {
  name: plain,
  image,
  imagePullPolicy: plain,
  command: plain,
  args: plain,
  env: items(variable),
  envFrom,
  ports: items(fields({ name: plain, containerPort: plain, protocol: plain }), 'containerPort'),
  resources: fields({ requests: amounts, limits: amounts }),
  volumeMounts: items(mount, 'mountPath'),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: fields({ preStop: hook, postStart: hook }),
  securityContext: containerSecurity,
  workingDir: plain,
  terminationMessagePath: plain,
  terminationMessagePolicy: plain,
  restartPolicy: only('Always'),
};
const judged = fields(CONTAINER);
/** Image, account, start, cpu and memory of a built main container are judged as what they are made of. */
const started = fields({ ...CONTAINER, args: plain, command: only() });

/** A container of the deployment's own is closed; a user's beside Flink's has limits. */
export const container: Rule = (value, place) => {
  if (isMain(value)) return place.context.finished ? mainContainer(value, place) : judged(value, place);
  if (place.base !== undefined) return refuse(place, "is the deployment's own container: choose another name");
  return [...judged(value, place), ...missingLimits(value, place)];
};

function mainContainer(value: unknown, place: Place): ReturnType<Rule> {
  if (!isRecord(value)) return [];
  const { resources, command, args, ...others } = value;
  const amountsOf = isRecord(resources) ? withoutCore(resources) : resources;
  const own = { ...place, base: place.base };
  return [
    ...judged({ ...others, ...(amountsOf === undefined ? {} : { resources: amountsOf }) }, own),
    ...(isOwnStart(command, args) ? [] : started({ command }, place)),
  ];
}

/** Native commands begin with Flink's entry point, standalone ones have none of their own. */
function isOwnStart(command: unknown, args: unknown): boolean {
  if (command === undefined || (Array.isArray(command) && command.length === 0)) return true;
  const [first, second] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  return Array.isArray(command) && command.length === 1 && first === 'bash' && second === '-c';
}

function withoutCore(resources: Record<string, unknown>): Record<string, unknown> {
  const parts = Object.entries(resources).map(([part, map]) => {
    if (!isRecord(map)) return [part, map] as const;
    const others = Object.entries(map).filter(([name]) => name !== 'cpu' && name !== 'memory');
    return [part, Object.fromEntries(others)] as const;
  });
  return Object.fromEntries(parts);
}

function isMain(value: unknown): boolean {
  return isRecord(value) && value['name'] === MAIN_CONTAINER;
}

function missingLimits(value: unknown, place: Place): ReturnType<Rule> {
  const resources = isRecord(value) && isRecord(value['resources']) ? value['resources'] : {};
  const limits = isRecord(resources['limits']) ? resources['limits'] : {};
  return ['cpu', 'memory']
    .filter((name) => limits[name] === undefined)
    .flatMap((name) => {
      const at = below(below(below(place, 'resources'), 'limits'), name);
      return refuse(at, 'is missing: without it the container could take all that its node has');
    });
}
