import * as z from 'zod';
import type { Instant } from '../../../lib/core/clock.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { LEDGER, LONGEST_STEP } from '../functions.ts';
import type { Put } from '../servers/s3.ts';
import type { World } from '../world.ts';

/** How late the next one begins at the most: a function may die, and its message comes again. */
const TOLD = 10 * 60_000;

const QUEUES = 'lock-queues/';
const PLACE = /^(lock-queues\/.*\/)(\d{13}~([0-9a-f]{20}))$/;

const storedLock = z.object({ holder: z.string().nullable() });

/**
 * The run that a lock names. No object: a free lock. A missing field is an error: read as empty, it would satisfy every
 * invariant.
 * @throws ZodError
 */
export function holderIn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : (storedLock.parse(JSON.parse(text)).holder ?? undefined);
}

/** A lock goes from its holder back to nobody, and from nobody to the first in line, who is told. */
export class LockInvariants {
  private readonly world: World;
  /** When each place in a queue was taken. */
  private readonly places = new Map<string, Instant>();
  private readonly freedAt = new Map<string, Instant>();

  constructor(world: World) {
    this.world = world;
    const { onPut } = world.s3;
    world.s3.onPut = (put) => {
      onPut(put);
      if (put.key.startsWith('locks/')) world.invariants.read(put.key, () => this.onLock(put));
      if (put.key.startsWith(QUEUES) && !this.places.has(put.key)) this.places.set(put.key, world.sim.now);
    };
  }

  /** Of all keys, the runs that still hold or wait; one of a write that came late is taken away when its turn comes. */
  left(): readonly string[] {
    const { s3, sim } = this.world;
    const holders = s3.keys(`${LEDGER}/locks/`).map((key) => holderIn(s3.text(key)) ?? '');
    const isLate = sim.faults.struck.some(({ at, kind }) => kind === 'late' && at.includes(QUEUES));
    return [...holders.filter((holder) => holder !== ''), ...(isLate ? [] : s3.keys(`${LEDGER}/${QUEUES}`))];
  }

  private onLock({ key, text, before }: Put): void {
    const [was, is] = [holderIn(before), holderIn(text)];
    if (is === undefined) this.freedAt.set(key, this.world.sim.now);
    if (is === undefined || is === was) return;
    this.check('a lock is not taken from its holder', was === undefined, () => `${was ?? ''} → ${is}`);
    const holder = this.world.invariants.records.get(is as RunRecord['runId']);
    if (holder === undefined) return;
    this.checkTurn(key, holder);
    this.checkTold(key, holder);
  }

  /** Of those who had their place before this step could have looked. */
  private checkTurn(key: string, holder: RunRecord): void {
    const before = this.waiting(key).filter(
      ({ place, at }) => place < placeOf(holder) && this.world.sim.now - at > LONGEST_STEP,
    );
    const live = before.filter(({ run }) => run !== undefined && run.state !== 'closed');
    this.check('the first in line is the next', live.length === 0, () => `${holder.name}: ${JSON.stringify(live)}`);
  }

  private checkTold(key: string, holder: RunRecord): void {
    const freedAt = this.freedAt.get(key);
    const at = this.places.get(`${queueOf(key)}${placeOf(holder)}`) ?? holder.waiting?.since;
    if (freedAt === undefined || at === undefined) return;
    const { workload, sim } = this.world;
    if (workload.losesRunMessages === true || sim.faults.struck.some(({ kind }) => kind === 'message-lost')) return;
    const late = sim.now - Math.max(freedAt, at);
    this.check('whose turn it is begins soon', late <= TOLD, () => `${holder.name}: ${late} ms`);
  }

  private waiting(key: string) {
    const { s3, invariants } = this.world;
    return s3.keys(`${LEDGER}/${queueOf(key)}`).flatMap((found) => {
      const own = found.slice(LEDGER.length + 1);
      const [, , place, id] = PLACE.exec(own) ?? [];
      const at = this.places.get(own);
      if (place === undefined || at === undefined) return [];
      return [{ place, at, run: invariants.records.get(id as RunRecord['runId']) }];
    });
  }

  private check(invariant: string, holds: boolean, detail: () => string): void {
    this.world.invariants.check(invariant, holds, detail);
  }
}

/** `locks/x.json` → `lock-queues/x/` */
function queueOf(key: string): string {
  return `${QUEUES}${key.slice('locks/'.length, -'.json'.length)}/`;
}

function placeOf({ createdAt, runId }: RunRecord): string {
  return `${String(createdAt).padStart(13, '0')}~${runId}`;
}
