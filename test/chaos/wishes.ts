import type { Draws } from '../prove/draws.ts';

/** What Witness.java is told to do. */
export type Program = 'finish' | 'throw' | 'fail' | 'halt-once' | 'endless';

/** One request of a user, and how the run that it asks for ends when nothing of the outside fails it. */
export interface Wish {
  /** Of the job; also the idempotency key, and what the job calls itself. */
  readonly name: string;
  readonly trigger: 'message' | 'jar-upload' | 'schedule';
  readonly program: Program;
  readonly version: string;
  readonly concurrency?: { readonly key: string; readonly policy: 'queue' | 'replace' | 'forbid' };
  /** Not before that wish's run has come so far. */
  readonly after?: { readonly name: string; readonly state: 'running' };
  /** What is wrong with it. */
  readonly fault?: 'malformed' | 'not-allowed';
  /** Another payload under the same key as well. */
  readonly conflict?: true;
  /** Sent as often as this. */
  readonly times: number;
  /** When its run is so far, somebody cancels it. */
  readonly cancelWhen?: 'launching' | 'running';
  /** `succeeded`, `failed ApplicationFailed`, …; one of them. */
  readonly ends: readonly string[];
}

const ENDS: Readonly<Record<Program, string>> = {
  finish: 'succeeded JobFinished',
  throw: 'failed ApplicationFailed',
  fail: 'failed JobFailed',
  'halt-once': 'succeeded JobFinished',
  endless: 'canceled JobCanceled',
};

/** In every twenty, in this order: what needs a TaskManager costs twice as much as what does not. */
const KINDS = [
  ...['finish', 'throw', 'upload', 'not-allowed', 'throw', 'schedule', 'twice', 'queue', 'queue', 'malformed'],
  ...['throw', 'halt-once', 'conflict', 'fail', 'canceled', 'throw', 'upload-throw', 'replaced', 'replace', 'throw'],
] as const;
type Kind = (typeof KINDS)[number];

/** `runs` requests; most of them are delivered once, many twice. */
export function wishesFor(runs: number, draws: Draws, versions: readonly string[]): readonly Wish[] {
  return Array.from({ length: runs }, (_, index) => {
    const drawn = KINDS[index % KINDS.length] as Kind;
    // Nobody would replace it.
    const kind = drawn === 'replaced' && index === runs - 1 ? 'finish' : drawn;
    const round = Math.floor(index / KINDS.length);
    const name = `c${String(index + 1).padStart(3, '0')}-${kind}`;
    const version = versions[index % versions.length] ?? '';
    const times = draws.chance(`${name} twice`, 0.3) ? 2 : 1;
    const wish = { name, version, times, trigger: 'message', program: 'finish', ends: [ENDS.finish] } as const;
    return { ...wish, ...differently(kind, wish, round, draws) };
  });
}

function differently(kind: Kind, { name }: Pick<Wish, 'name'>, round: number, draws: Draws): Partial<Wish> {
  const running = (program: Program): Partial<Wish> => ({ program, ends: [ENDS[program]] });
  switch (kind) {
    case 'finish':
      return {};
    case 'throw':
    case 'fail':
    case 'halt-once':
      return running(kind);
    case 'upload':
      return { trigger: 'jar-upload' };
    case 'upload-throw':
      return { trigger: 'jar-upload', ...running('throw') };
    case 'schedule':
      return { trigger: 'schedule', ...running('throw') };
    case 'twice':
      return { times: 3 };
    case 'conflict':
      return { ...running('throw'), conflict: true };
    case 'malformed':
      return { fault: 'malformed', times: 1, ends: [] };
    case 'not-allowed':
      return { fault: 'not-allowed', ends: ['rejected NotAllowed'] };
    case 'canceled':
      return { ...running('endless'), cancelWhen: draws.pick(`${name} cancel`, ['launching', 'running']) };
    case 'queue':
      return { concurrency: { key: `queue-${round}`, policy: 'queue' } };
    case 'replaced':
      return {
        ...{ program: 'endless', ends: ['canceled ReplacedByNewerRun'] },
        concurrency: { key: `replace-${round}`, policy: 'replace' },
      };
    case 'replace':
      return {
        concurrency: { key: `replace-${round}`, policy: 'replace' },
        after: { name: name.replace(/^c\d+/, `c${previous(name)}`).replace(/replace$/, 'replaced'), state: 'running' },
      };
  }
}

function previous(name: string): string {
  return String(Number(name.slice(1, 4)) - 1).padStart(3, '0');
}
