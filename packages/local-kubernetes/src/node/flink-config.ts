import { parseDocument, stringify } from 'yaml';
import { isRecord } from '../objects.ts';

/** What a Flink process has to be told when its network is one loopback address among others. */
export type Overrides = Readonly<Record<string, string>>;

function flatten(value: unknown, prefix: string, into: Record<string, unknown>): void {
  if (isRecord(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, prefix === '' ? key : `${prefix}.${key}`, into);
  } else {
    into[prefix] = value;
  }
}

/** `config.yaml`: the same configuration, flat, with the overrides. Text that is no map is left as it is. */
function overrideYaml(text: string, overrides: Overrides): string {
  const document = parseDocument(text, { logLevel: 'silent' });
  const parsed: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (!isRecord(parsed)) return text;
  const flat: Record<string, unknown> = {};
  flatten(parsed, '', flat);
  // `a` and `a.b` cannot both be: an override replaces whatever lies under its own name.
  const kept = Object.entries(flat).filter(([key]) => !(key in overrides));
  return stringify({ ...Object.fromEntries(kept), ...overrides }, { lineWidth: 0 });
}

/** `flink-conf.yaml`: one `key: value` a line, the last one wins. */
function overrideLines(text: string, overrides: Overrides): string {
  const kept = text
    .split('\n')
    .filter((line) => !(line.split(':')[0]?.trim() ?? '') || !((line.split(':')[0] ?? '').trim() in overrides));
  return [...kept, ...Object.entries(overrides).map(([key, value]) => `${key}: ${value}`), ''].join('\n');
}

/** Rewrites a file of a FLINK_CONF_DIR; other files stay as they are. */
export function overrideConfFile(name: string, text: string, overrides: Overrides): string {
  if (name === 'config.yaml') return overrideYaml(text, overrides);
  if (name === 'flink-conf.yaml') return overrideLines(text, overrides);
  return text;
}
