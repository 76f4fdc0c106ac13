import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of which stream's upgrade an invocation carries something out. */
export interface Target {
  /** What it does now: what is struck once there is struck again in another set. Undefined: no upgrade. */
  readonly set: string | undefined;
  owns(body: string): boolean;
}

export interface Coverage {
  readonly set: string;
  /** Effects, and how many of them were struck before they were had, and after. */
  readonly kinds: number;
  readonly before: number;
  readonly after: number;
  /** As `before PUT …`. */
  readonly spared: readonly string[];
}

interface SqsEvent {
  readonly Records?: readonly { readonly body: string }[];
}

/**
 * SIGKILL before and after each effect of an upgrade: `strike.cjs`, in the function's process, sees each request that changes
 * something, and this tells it when to.
 */
export class Strikes {
  readonly environment: Readonly<Record<string, string>>;
  /** By phase and kind of effect, in the order in which they struck. */
  readonly struck: string[] = [];
  private readonly folder: string;
  private readonly part: number;
  private readonly targets: Target[] = [];
  private readonly hits = new WeakSet<object>();
  private over = false;

  /** `part`: of all that could be struck, the same for each set and kind. */
  constructor(folder: string, part: number) {
    this.folder = join(folder, 'strikes');
    this.part = part;
    mkdirSync(this.folder);
    const preload = join(import.meta.dirname, 'strike.cjs');
    this.environment = part > 0 ? { CHAOS_STRIKES: this.folder, NODE_OPTIONS: `--require ${preload}` } : {};
  }

  aimAt(target: Target): void {
    this.targets.push(target);
  }

  stop(): void {
    this.over = true;
  }

  /** Before the process gets the event; false: it carries out no upgrade alone. */
  arm(pid: number, event: unknown): boolean {
    const { Records = [] } = event as SqsEvent;
    const set = this.part > 0 && !this.over && Records.length > 0 ? this.setOf(Records) : undefined;
    if (set === undefined) return false;
    mkdirSync(join(this.folder, set), { recursive: true });
    const aim = { set, part: this.part };
    writeFileSync(join(this.folder, `aim-${pid}`), JSON.stringify(aim));
    return true;
  }

  private setOf(records: NonNullable<SqsEvent['Records']>): string | undefined {
    const sets = new Set(records.map(({ body }) => this.targets.find((one) => one.owns(body))?.set));
    return sets.size === 1 ? [...sets][0] : undefined;
  }

  /** After it has answered, or died. */
  disarm(pid: number, event: object): void {
    rmSync(join(this.folder, `aim-${pid}`), { force: true });
    const died = join(this.folder, `struck-${pid}`);
    const what = textIn(died);
    if (what === undefined) return;
    rmSync(died);
    this.hits.add(event);
    this.struck.push(what);
  }

  hit(event: object): boolean {
    return this.hits.has(event);
  }

  get coverage(): readonly Coverage[] {
    const sets = readdirSync(this.folder, { withFileTypes: true }).filter((one) => one.isDirectory());
    return sets.map(({ name: set }) => {
      const files = readdirSync(join(this.folder, set)).map(decodeURIComponent);
      const named = (ending: string): readonly string[] =>
        files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
      const [seen, struck] = [named('.seen'), named('.struck')];
      const phase = (which: string): number => struck.filter((name) => name.startsWith(which)).length;
      const kinds = new Set(seen.map((name) => name.slice(name.indexOf(' ') + 1))).size;
      const spared = seen.filter((name) => !struck.includes(name));
      return { set, kinds, before: phase('before '), after: phase('after '), spared };
    });
  }
}

function textIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
