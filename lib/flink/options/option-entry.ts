/**
 * What an option acts on: the objects that are created, the TaskManager pods that the JobManager asks for later, the
 * client that creates the objects, or the running cluster alone.
 */
export type Subject = 'objects' | 'taskmanagers' | 'client' | 'cluster';

export type OptionType =
  | 'String'
  | 'Integer'
  | 'Double'
  | 'Float'
  | 'Boolean'
  | 'Duration'
  | 'MemorySize'
  | 'Enum'
  | 'Map'
  | 'List<String>'
  | 'List<Map>';

export interface OptionEntry {
  readonly key: string;
  readonly type: OptionType;
  readonly default?: string;
  /** Keys that are read, in this order, when the key itself is not set. */
  readonly fallback?: readonly string[];
  /** As `fallback`, after it; Flink warns about these. */
  readonly deprecated?: readonly string[];
  /** The first and last Flink versions that know it, where not all from 1.19 to 2.3 do. */
  readonly since?: string;
  readonly until?: string;
  readonly subject: Subject;
  /** One sentence: what it does to its subject. */
  readonly effect: string;
}
