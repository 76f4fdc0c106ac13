import { defined } from '../../core/defined.ts';
import table from './documented.json' with { type: 'json' };

/** What Flink's own classes say of an option (infra/flink-options records it from the distributions). */
export interface DocumentedOption {
  readonly key: string;
  readonly type: string;
  readonly default?: string;
  /** Of an option of type Enum. */
  readonly values: readonly string[];
  readonly olderNames: readonly string[];
  /** `2.0`: Flink 1.20 does not know it. `1.20`: Flink 2.3 does not know it any more. */
  readonly since?: string;
  readonly until?: string;
  /** The first sentence of Flink's description. */
  readonly description: string;
}

/** Every option that Flink 1.20 and 2.3 document, by their own keys. */
export const DOCUMENTED: readonly DocumentedOption[] = table.map((row) => {
  const [key = '', type = '', byDefault = '', values = '', older = '', versions = '', description = ''] = row;
  return {
    key,
    type,
    description,
    values: split(values, '|'),
    olderNames: split(older, ','),
    ...defined({ default: byDefault === '' ? undefined : byDefault }),
    ...defined({ since: versions === '+' ? '2.0' : undefined, until: versions === '-' ? '1.20' : undefined }),
  };
});

function split(text: string, separator: string): readonly string[] {
  return text === '' ? [] : text.split(separator);
}

/** By its own key, by an older name, or by what a map or a placeholder of the key stands for. */
export function findDocumented(key: string): DocumentedOption | undefined {
  const [, ofReporter] = /^metrics\.(?:\w+\.)?reporter\.[^.]+\.(.+)$/.exec(key) ?? [];
  return (
    DOCUMENTED.find((option) => option.key === key) ??
    DOCUMENTED.find((option) => option.olderNames.includes(key)) ??
    DOCUMENTED.find((option) => option.type === 'Map' && key.startsWith(`${option.key}.`)) ??
    DOCUMENTED.find((option) => option.key === ofReporter) ??
    DOCUMENTED.find((option) => patternOf(option.key)?.test(key) === true)
  );
}

/** `metrics.reporter.<name>.interval`: a part of the user's choice. */
function patternOf(key: string): RegExp | undefined {
  if (!/<|\.X\./.test(key)) return undefined;
  const parts = key.split(/<[^>]*>|(?<=\.)X(?=\.)/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^.]+')}$`);
}

/** Who reads an option, by how its key begins; the first that fits. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^kubernetes\.operator\./, 'read by the Flink Kubernetes operator alone: no effect here'],
  [/^kubernetes\./, 'read by whoever makes the objects of the cluster'],
  [/^yarn\./, 'read on YARN alone: no effect here'],
  [/^(?:sql-gateway|sql-client)\./, 'read by the SQL gateway and client: no effect on a job that runs'],
  [
    /^(?:historyserver|jobmanager\.archive)\./,
    'read by the history server, and by the JobManager that archives for it',
  ],
  [/^(?:client|\$internal)\./, 'read by the client that submits the job'],
  [
    /^(?:jobmanager|rest|web|blob|resourcemanager|slotmanager|slot|high-availability|cluster|jobstore|job-event|job-result-store|scheduler)\b/,
    'takes effect in the JobManager',
  ],
  [/^taskmanager\b/, 'takes effect in the TaskManagers'],
  [/^(?:table|sql)\./, 'takes effect when the job plans its tables'],
  [
    /^(?:execution|pipeline|parallelism|restart-strategy|state|python|job|job-id|user)\b/,
    'takes effect in the job: in its program on the JobManager, and in its tasks',
  ],
];

export function placeOf(key: string): string {
  return PLACES.find(([pattern]) => pattern.test(key))?.[1] ?? 'takes effect in the JobManager and the TaskManagers';
}
