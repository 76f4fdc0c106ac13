import { stringify } from 'yaml';
import { valueOf } from '../command.ts';
import type { NewCluster } from './create.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { UsageError } from '../flags/usage.ts';

/** The objects as they would be sent, in the order of their creation; the owner's uid is the server's to give. */
export function printObjects(io: Io, parsed: ParsedFlags, cluster: Pick<NewCluster, 'owner' | 'dependents'>): void {
  const format = valueOf(parsed, 'output') ?? (parsed.values.has('json') ? 'json' : 'yaml');
  const items = [cluster.owner, ...cluster.dependents];
  if (format === 'json') return printJson(io, { apiVersion: 'v1', kind: 'List', items });
  if (format !== 'yaml') throw new UsageError(`-o ${format}: must be yaml or json`);
  io.out(items.map((item) => `---\n${stringify(item, { lineWidth: 0, aliasDuplicateObjects: false })}`).join(''));
}
