import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { downtime, goesOnExactly, type Life, type Variant } from '../../counter/account.ts';
import { buildCounters } from '../../counter/counter.ts';
import { startWitness, type Witness } from '../../counter/witness.ts';
import type { DeploymentState } from '../../../lib/deployment/record.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { Spec } from './dispatcher.ts';
import { FLINK_VERSIONS, imageOf, LAB } from './lab.ts';
import { STATE_BUCKET } from './s3.ts';
import { Streams, type StreamsOptions } from './streams.ts';

/** Seconds: for JVMs that start beside others. */
const PATIENCE = 240;

export type Jars = Readonly<Record<Variant, Buffer>>;

/** For all versions of the lab: a program runs on every Flink from the one on that it was compiled against. */
export function buildJars(): Promise<Jars> {
  const [oldest = ''] = FLINK_VERSIONS.toReversed();
  return buildCounters(join(LAB, 'flink', oldest), ['first', 'changed', 'retyped', 'renamed', 'failing']);
}

export interface CountedStreamOptions extends StreamsOptions {
  readonly jars: Jars;
  /** Of this machine, as pods reach it. */
  readonly host: string;
  readonly upgradeMode: 'savepoint' | 'last-state';
  readonly job?: Spec;
  readonly flinkConfiguration?: Readonly<Record<string, string>>;
  /** Milliseconds that each snapshot takes beside. */
  readonly slowness?: number;
  /** Whether what follows the count has the parallelism of the options. */
  readonly isWide?: boolean;
  /** Milliseconds of work for each piece that follows from a number, of one that is wide. */
  readonly work?: number;
}

/** A stream of Counter.java, and what its witness hears of it. */
export class CountedStream {
  readonly streams: Streams;
  readonly witness: Witness;
  private readonly options: CountedStreamOptions;
  private expected = 0;

  private constructor(options: CountedStreamOptions, witness: Witness) {
    this.options = options;
    this.witness = witness;
    this.streams = new Streams(options);
  }

  /** Until its test ends. */
  static async open(options: CountedStreamOptions, test: TestContext): Promise<CountedStream> {
    const stream = new CountedStream(options, await startWitness(options.host));
    test.onTestFinished(async () => {
      await stream.streams.stop();
      await stream.witness.stop();
    });
    return stream;
  }

  /** Uploads a version of the job; `differently`: fields of `job` that are so for this upload alone; `version`: of Flink. */
  upload(variant: Variant, differently: Spec = {}, version = this.options.version): Promise<void> {
    const {
      storage,
      upgradeMode,
      job,
      flinkConfiguration,
      jars,
      slowness = 0,
      isWide = false,
      work = 0,
    } = this.options;
    const args = [this.witness.url, '20', String(slowness), ...(isWide ? ['wide', String(work)] : [])];
    return this.streams.upload(jars[variant], {
      ...{ name: this.streams.name, image: imageOf(version), flinkVersion: version },
      job: {
        ...{ kind: 'streaming', upgradeMode, args },
        ...{ ...job, ...differently },
      },
      flinkConfiguration: {
        ...storage.stateOptions(version),
        'execution.checkpointing.interval': '2 s',
        'execution.checkpointing.dir': `s3://${STATE_BUCKET}/checkpoints`,
        'execution.checkpointing.savepoint-dir': `s3://${STATE_BUCKET}/savepoints`,
        ...flinkConfiguration,
      },
      retry: { attempts: 2, backoff: '1s' },
    });
  }

  /** Waits until one more life than before counts, as that version of the job, with a complete checkpoint of its own. */
  async countsAs(variant: Variant): Promise<Life> {
    this.expected += 1;
    const isThere = (): boolean => {
      const life = this.lives[this.expected - 1];
      return life?.first !== undefined && life.checkpoint !== undefined;
    };
    await this.streams.until(() => `life ${this.expected} counts; heard: ${this.heard()}`, PATIENCE, isThere);
    const { lives, faults } = this.witness.account;
    expect(faults).toEqual([]);
    expect(lives, this.streams.situation()).toHaveLength(this.expected);
    expect(lives.at(-1)?.variant).toBe(variant);
    return lives.at(-1) as Life;
  }

  /** Waits until the deployment is at rest in that state. */
  untilState(state: DeploymentState): Promise<void> {
    return this.streams.until(
      () => `${state}; heard: ${this.heard()}`,
      PATIENCE,
      () => this.streams.deployment.state === state,
    );
  }

  /** Waits until the version counts, with a complete checkpoint of its own, however many lives that took. */
  async comesToCountAs(variant: Variant): Promise<void> {
    const isThere = (): boolean => {
      const life = this.lives.at(-1);
      return life?.variant === variant && life.first !== undefined && life.checkpoint !== undefined;
    };
    await this.streams.until(() => `it counts as ${variant}; heard: ${this.heard()}`, PATIENCE, isThere);
    this.expected = this.lives.length;
    expect(this.witness.account.faults).toEqual([]);
  }

  /** Resolves when that effect takes place the next time. */
  effect(kind: string): Promise<void> {
    const { deaths } = this.streams;
    return new Promise((resolve) => {
      deaths.onEffect = (heard) => {
        if (heard === kind) resolve();
      };
    });
  }

  /** Uploads the other version and waits until it counts. Answers the milliseconds without a number. */
  async upgrade(differently: Spec = {}): Promise<number> {
    const next = this.lives.at(-1)?.variant === 'first' ? 'changed' : 'first';
    await this.upload(next, differently);
    const after = await this.countsAs(next);
    const before = this.lives.at(-2) as Life;
    return downtime(before, after) ?? NaN;
  }

  /** The last two lives: nothing was said twice, and nothing left out. */
  expectExact(): void {
    const [before, after] = this.lives.slice(-2) as [Life, Life];
    expect(goesOnExactly(before, after), this.heard()).toBe(true);
  }

  /** Of the run before the last one nothing is left. */
  async lastIsGone(): Promise<void> {
    await this.streams.until(
      () => 'the run before is closed',
      60,
      () => this.streams.runs.at(-2)?.state === 'closed',
    );
  }

  /** What the last run starts from is what the one before it left. */
  expectHandedOver(): readonly [RunRecord, RunRecord] {
    const [before, after] = this.streams.runs.slice(-2) as [RunRecord, RunRecord];
    const left = before.attempts.at(-1)?.snapshot;
    expect(left).toBeDefined();
    expect(after.attempts[0]?.restoredFrom?.path).toBe(left?.path);
    expect(before.state).toBe('closed');
    return [before, after];
  }

  get lives(): readonly Life[] {
    return this.witness.account.lives;
  }

  private heard(): string {
    return JSON.stringify(this.witness.account);
  }
}
