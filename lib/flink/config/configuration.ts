import { DispatchError } from '../../core/errors.ts';
import { isSensitiveKey } from '../../core/redaction/sensitive-keys.ts';
import type { DefaultedOption, Option } from '../options/option.ts';
import { JavaHashMap, javaMapOfSize, toJavaMap } from './java-map.ts';
import { convertToString, showValue, type ConfigValue, type RawValue } from './values.ts';

/**
 * org.apache.flink.configuration.Configuration: flat keys and typed values, read through options with their fallback
 * and deprecated keys, and with the entries `key.*` of an option of map type.
 */
export class FlinkConfiguration {
  /** False where a flink-conf.yaml is in use: lists and maps then have their older syntax only. */
  readonly standardYaml: boolean;
  #data: JavaHashMap<ConfigValue>;

  constructor(standardYaml: boolean, entries: Iterable<readonly [string, ConfigValue]> = []) {
    this.standardYaml = standardYaml;
    this.#data = new JavaHashMap();
    for (const [key, value] of entries) this.#data.set(key, value);
  }

  copy(): FlinkConfiguration {
    const copy = new FlinkConfiguration(this.standardYaml);
    copy.#data = this.#data.copy();
    return copy;
  }

  addAll(other: FlinkConfiguration): void {
    this.#data.setAll(other.#data);
  }

  setRaw(key: string, value: ConfigValue): void {
    this.#data.set(key, value);
  }

  set(option: Option<unknown>, value: ConfigValue): void {
    this.#data.set(option.key, value);
  }

  entries(): [string, ConfigValue][] {
    return this.#data.entries();
  }

  contains(option: Option<unknown>): boolean {
    return this.#find(option) !== undefined;
  }

  /** The key under which the option was found: its own, or a fallback. */
  keyOf(option: Option<unknown>): string | undefined {
    return this.#find(option)?.key;
  }

  /** Configuration.getOptional. @throws DispatchError `InvalidConfiguration` */
  getOptional<T>(option: Option<T>): T | undefined {
    const found = this.#find(option);
    if (found === undefined) return undefined;
    try {
      return option.parse(found.value, this.standardYaml);
    } catch (error) {
      const detail = isSensitiveKey(found.key) ? '' : `: ${error instanceof Error ? error.message : String(error)}`;
      const shown = found.value instanceof JavaHashMap ? '' : ` ${showValue(found.key, found.value)}`;
      throw new DispatchError('InvalidConfiguration', `${found.key}${shown} is not valid${detail}`, {
        field: found.key,
      });
    }
  }

  get<T>(option: DefaultedOption<T>): T {
    return this.getOptional(option) ?? option.default;
  }

  /** Configuration.removeConfig: the option's own key, or else the first fallback key that is there. */
  remove(option: Option<unknown>): void {
    const found = this.#find(option);
    if (found === undefined) return;
    this.#data.delete(found.key);
  }

  /** Configuration.toMap. */
  toStrings(): JavaHashMap<string> {
    const map = javaMapOfSize<string>(this.#data.size);
    for (const [key, value] of this.#data.entries()) map.set(key, convertToString(value, this.standardYaml));
    return map;
  }

  /** ConfigurationUtils.getPrefixedKeyValuePairs. */
  withPrefix(prefix: string): JavaHashMap<string> {
    const map = new JavaHashMap<string>();
    for (const [key, value] of this.toStrings().entries()) {
      if (key.startsWith(prefix) && key.length > prefix.length) map.set(key.slice(prefix.length), value);
    }
    return map;
  }

  #find(option: Option<unknown>): { key: string; value: RawValue } | undefined {
    for (const key of [option.key, ...option.fallbackKeys.map((fallback) => fallback.key)]) {
      const value = this.#data.get(key) ?? (option.isMap ? this.#prefixMap(`${key}.`) : undefined);
      if (value !== undefined) return { key, value };
    }
    return undefined;
  }

  /** ConfigurationUtils.convertToPropertiesPrefixed. */
  #prefixMap(prefix: string): JavaHashMap<string> | undefined {
    const entries = this.#data.entries().filter(([key]) => key.startsWith(prefix));
    if (entries.length === 0) return undefined;
    return toJavaMap(
      entries.map(([key, value]) => [key.slice(prefix.length), convertToString(value, this.standardYaml)]),
    );
  }
}
