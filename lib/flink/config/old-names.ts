/**
 * Old names of options that are dotted prefixes of other options, by Flink's own deprecated keys (ConfigOption.fallbackKeys
 * of 1.20 and 2.3): a nested config.yaml cannot hold them beside what lies below them. Of the two `metrics.scope` names the
 * longer one is the old one.
 */
const SUCCESSORS: Readonly<Record<string, string>> = {
  'classloader.parent-first-patterns': 'classloader.parent-first-patterns.default',
  'cleanup-strategy': 'cleanup-strategy.type',
  'env.java.opts': 'env.java.opts.all',
  'execution.buffer-timeout': 'execution.buffer-timeout.interval',
  'execution.checkpointing.unaligned': 'execution.checkpointing.unaligned.enabled',
  'high-availability': 'high-availability.type',
  'kubernetes.container.image': 'kubernetes.container.image.ref',
  'kubernetes.jobmanager.cpu': 'kubernetes.jobmanager.cpu.amount',
  'kubernetes.taskmanager.cpu': 'kubernetes.taskmanager.cpu.amount',
  'kubernetes.pod-template-file': 'kubernetes.pod-template-file.default',
  'metrics.scope.jm.job': 'metrics.scope.jm-job',
  'metrics.scope.tm.job': 'metrics.scope.tm-job',
  'pipeline.operator-chaining': 'pipeline.operator-chaining.enabled',
  'restart-strategy': 'restart-strategy.type',
  'state.backend': 'state.backend.type',
};

type Options = Readonly<Record<string, string>>;

/** The name of today for an old one; undefined for every other key. */
export function successorOf(key: string): string | undefined {
  return Object.hasOwn(SUCCESSORS, key) ? SUCCESSORS[key] : undefined;
}

/** All names of the option that `key` names, `key` itself included. */
export function namesOf(key: string): readonly string[] {
  if (isS3(key)) return s3Names(key);
  const current = successorOf(key) ?? key;
  const old = Object.keys(SUCCESSORS).filter((name) => SUCCESSORS[name] === current);
  return [current, ...old];
}

/** Under the names of today: where both names are given, Flink reads the newer one. */
export function withNewNames(options: Options): Options {
  const renamed = Object.entries(options).flatMap(([key, value]): [string, string][] => {
    const successor = successorOf(key);
    if (successor === undefined) return [[key, value]];
    return Object.hasOwn(options, successor) ? [] : [[successor, value]];
  });
  return withoutOverlapOfS3(Object.fromEntries(renamed));
}

const S3_PREFIXES = ['s3.', 's3a.', 'fs.s3a.'] as const;

/**
 * Hadoop has options below others (`fs.s3a.endpoint`, `fs.s3a.endpoint.region`). Flink reads the three prefixes alike
 * (HadoopConfigLoader), so the longer key moves to another one of them, where it lies below nothing.
 */
function withoutOverlapOfS3(options: Options): Options {
  const keys = Object.keys(options);
  const below = keys.filter((key) => keys.some((parent) => isS3(parent) && key.startsWith(`${parent}.`)));
  if (below.length === 0) return options;
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [below.includes(key) ? movedS3(key, keys) : key, value]),
  );
}

function isS3(key: string): boolean {
  return S3_PREFIXES.some((prefix) => key.startsWith(prefix));
}

function movedS3(key: string, keys: readonly string[]): string {
  const free = (one: string): boolean => !keys.some((other) => one === other || one.startsWith(`${other}.`));
  return s3Names(key).find(free) ?? key;
}

function s3Names(key: string): readonly string[] {
  const own = S3_PREFIXES.find((prefix) => key.startsWith(prefix)) ?? '';
  return S3_PREFIXES.map((prefix) => `${prefix}${key.slice(own.length)}`);
}
