import { defined } from '../core/defined.ts';
import { logNamed } from '../operate/kept-logs.ts';
import type { Attempt } from '../run/record.ts';
import { DECISION_FILE } from '../verdict/decision-evidence.ts';

/** Where a line of evidence is from. */
export interface EvidenceFile {
  readonly attempt: number;
  readonly name: string;
  /** What to look for in it. */
  readonly find?: string;
}

/** Characters: a log may break a line where the evidence does not. */
const MOST_SOUGHT = 80;

/** The kept file that a line of evidence is from: a log, what Kubernetes or Flink answered, or the whole decision. */
export function fileBehind(line: string, { number, artifacts = [] }: Attempt): EvidenceFile | undefined {
  const [, quoted] = /^(?:log|JobManager log): (.+)/.exec(line) ?? [];
  const log = logOfPodIn(line, artifacts) ?? (quoted === undefined ? undefined : jobManagerLog(artifacts));
  if (log !== undefined) {
    const find = line.startsWith('log: ') ? quoted?.trim().slice(0, MOST_SOUGHT) : undefined;
    return { attempt: number, name: log, ...defined({ find }) };
  }
  const name = [askedOf(line), DECISION_FILE].find((one) => one !== undefined && artifacts.includes(one));
  return name === undefined ? undefined : { attempt: number, name };
}

/** Whose answer a line is: Flink's, Kubernetes', or what was made of both. */
function askedOf(line: string): string | undefined {
  if (/^(?:GET|POST) \//.test(line)) return 'rest.json';
  return /^(?:pod|event|deployment|replicaset)\b/i.test(line) ? 'kubernetes.json' : undefined;
}

/** Names of pods begin with that of their cluster, so none is a part of another one's but by a longer number. */
function logOfPodIn(line: string, artifacts: readonly string[]): string | undefined {
  const logs = artifacts.flatMap((name) => logNamed(name) ?? []);
  const named = logs.filter(({ pod, previous }) => !previous && line.includes(pod));
  return named.sort((a, b) => b.name.length - a.name.length)[0]?.name;
}

function jobManagerLog(artifacts: readonly string[]): string | undefined {
  const logs = artifacts.flatMap((name) => logNamed(name) ?? []);
  return logs.find(({ pod, previous }) => !previous && !pod.includes('-taskmanager-'))?.name;
}
