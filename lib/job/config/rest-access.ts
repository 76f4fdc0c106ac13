import { DispatchError } from '../../core/errors.ts';
import type { TargetConfig } from './dispatch-config.ts';

interface Flink {
  readonly options: Readonly<Record<string, string>>;
  /** `2.3`, `1.20.0`. */
  readonly flinkVersion: string;
}

const TLS = 'security.ssl.rest.enabled';
const ALL_TLS = 'security.ssl.enabled';
const MUTUAL_TLS = 'security.ssl.rest.authentication-enabled';
const EXPOSED = 'kubernetes.rest-service.exposed.type';

/** Whether the JobManager's REST endpoint speaks TLS. Before Flink 2.0 `security.ssl.enabled` holds for it, too. */
export function hasRestTls({ options, flinkVersion }: Flink): boolean {
  return isTrue(options[TLS] ?? (flinkVersion.startsWith('1.') ? options[ALL_TLS] : undefined));
}

/**
 * The options, when the target's way to the JobManager is one that they leave open.
 * @throws DispatchError `InvalidConfiguration`, naming the option
 */
export function reachable(flink: Flink, { rest }: Pick<TargetConfig, 'rest'>): Flink['options'] {
  const { options } = flink;
  const tls = hasRestTls(flink);
  if (tls && isTrue(options[MUTUAL_TLS])) {
    throw refused(MUTUAL_TLS, 'the dispatcher has no certificate to show to the JobManager: set it to false');
  }
  if (tls && rest.kind !== 'service-proxy') {
    const why = `the target's rest.kind is ${rest.kind}, which does not know the JobManager's certificate`;
    throw refused(options[TLS] === undefined ? ALL_TLS : TLS, `${why}: use service-proxy, or no TLS`);
  }
  const type = options[EXPOSED] ?? 'ClusterIP';
  const open = OPEN[rest.kind];
  if (open !== undefined && !open.includes(type)) {
    throw refused(
      EXPOSED,
      `'${type}' cannot be reached by rest.kind ${rest.kind} of the target: use ${open.join(' or ')}`,
    );
  }
  return options;
}

/** What Kubernetes gives a node port, or an address outside. */
const OPEN: Partial<Record<TargetConfig['rest']['kind'], readonly string[]>> = {
  'node-port': ['NodePort', 'LoadBalancer'],
  'load-balancer': ['LoadBalancer'],
};

function isTrue(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === 'true';
}

function refused(field: string, why: string): DispatchError {
  return new DispatchError('InvalidConfiguration', `${field}: ${why}`, { field });
}
