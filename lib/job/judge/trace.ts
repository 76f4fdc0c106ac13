import { FlinkConfiguration } from '../../flink/config/configuration.ts';
import { JavaHashMap } from '../../flink/config/java-map.ts';
import { KUBERNETES } from '../../flink/options/kubernetes.ts';
import { TASK_MANAGER } from '../../flink/options/task-manager.ts';
import type { Option } from '../../flink/options/option.ts';
import type { JobSpec } from '../spec/spec.ts';
import type { Found } from './rules.ts';

/** A refusal of a built object with the option of the spec that made it, where one can be found. */
export function traced(found: Found, userSpecs: readonly JobSpec[]): Found {
  const { token } = found;
  if (token === undefined || !found.field.includes(': ')) return found;
  const key = userSpecs
    .flatMap((spec) => Object.entries(spec.flinkConfiguration ?? {}))
    .find(([name, value]) => says(name, value, token))?.[0];
  if (key === undefined) return found;
  return { ...found, field: `flinkConfiguration[${JSON.stringify(key)}]`, message: `${found.field} ${found.message}` };
}

const OPTIONS: readonly Option<unknown>[] = [...Object.values(KUBERNETES), ...Object.values(TASK_MANAGER)];

/** As Flink reads the option, and not as it is written. */
function says(key: string, value: string, token: string): boolean {
  const alone = new FlinkConfiguration(true, [[key, value]]);
  if (key.startsWith('external-resource') && value === token) return true;
  return OPTIONS.some((option) => {
    try {
      return words(alone.getOptional(option)).includes(token);
    } catch {
      return false;
    }
  });
}

function words(value: unknown): readonly string[] {
  if (value instanceof JavaHashMap) return value.entries().flatMap(([name, inner]) => [name, ...words(inner)]);
  if (Array.isArray(value)) return value.flatMap(words);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}
