import { FLINK_EFFECTS } from './flink-effects.ts';
import { JOB_MANAGER_EFFECTS } from './job-manager-effects.ts';
import { MOUNT_EFFECTS } from './mount-effects.ts';
import { TASK_MANAGER_EFFECTS } from './task-manager-effects.ts';
import type { OptionEntry } from './option-entry.ts';

/** Every option of KubernetesConfigOptions, 1.19 to 2.3. */
export const KUBERNETES_CATALOGUE: readonly OptionEntry[] = [
  ...JOB_MANAGER_EFFECTS,
  ...MOUNT_EFFECTS,
  ...TASK_MANAGER_EFFECTS,
];

/** Every option that decides about the objects of a cluster, its TaskManagers' pods or the client. */
export const CATALOGUE: readonly OptionEntry[] = [...KUBERNETES_CATALOGUE, ...FLINK_EFFECTS];

/**
 * The entry for a key as somebody wrote it: its own key, a fallback or deprecated one, or `key.name` of an option of map
 * type. Undefined for options that are none of Kubernetes'.
 */
export function findOption(key: string): OptionEntry | undefined {
  const names = (entry: OptionEntry) => [entry.key, ...(entry.fallback ?? []), ...(entry.deprecated ?? [])];
  return (
    CATALOGUE.find((entry) => entry.key === key) ??
    CATALOGUE.find((entry) => names(entry).includes(key)) ??
    CATALOGUE.find((entry) => entry.type === 'Map' && key.startsWith(`${entry.key}.`)) ??
    CATALOGUE.find((entry) => placeholder(entry.key)?.test(key) === true)
  );
}

/** Keys with a part of the user's choice: `containerized.master.env.<NAME>`. */
function placeholder(key: string): RegExp | undefined {
  if (!key.includes('<')) return undefined;
  const parts = key.split(/<[^>]*>/).map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('[^.]+')}$`);
}
