import { MemoryS3 } from '../prove/servers/s3.ts';
import { Invocation, type Effect } from '../prove/simulation.ts';

/** The S3 of the simulation, which answers at once, in time that the test sets, and counts what it is asked. */
export class FakeS3 extends MemoryS3 {
  /** `list index/`, `put live/…`, in order. */
  readonly asked: string[];
  readonly time: { now: number };
  /** Answers of requests that are to fail, by what is asked. */
  readonly failing: { readonly what: RegExp; readonly error: () => Error }[];
  private readonly first: Before[];

  constructor() {
    const time = { now: Date.parse('2026-11-21T06:00:00Z') };
    const asked: string[] = [];
    const failing: FakeS3['failing'] = [];
    const first: Before[] = [];
    const effect = async <T>(_: Invocation, { what, act }: Effect<T>): Promise<T> => {
      asked.push(what.replace(/^s3 /, ''));
      const other = first.findIndex((one) => one.what.test(what));
      if (other >= 0) await first.splice(other, 1)[0]?.act();
      const failure = failing.find((one) => one.what.test(what));
      return failure === undefined ? Promise.resolve().then(act) : Promise.reject(failure.error());
    };
    super({
      get now() {
        return time.now;
      },
      effect,
    });
    this.time = time;
    this.asked = asked;
    this.failing = failing;
    this.first = first;
  }

  /** What somebody else does before the next such request has its answer. */
  before(what: RegExp, act: () => Promise<void>): void {
    this.first.push({ what, act });
  }

  get bucket(): { readonly s3: ReturnType<MemoryS3['client']>; readonly bucket: string } {
    return { s3: this.client(new Invocation('test')), bucket: 'ledger' };
  }
}

interface Before {
  readonly what: RegExp;
  readonly act: () => Promise<void>;
}
