import { PINNED_JARS } from '../../../lib/job/jar/pin.ts';
import { LEDGER } from '../functions.ts';
import type { World } from '../world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Long enough for the sweeper to carry on what lost its message. */
const BETWEEN = 5 * MINUTE;
const AT_ONCE = 15 * DAY;
const TIMES = 8;
/** As the ledger bucket's lifecycle has it. */
const KEPT = 90 * DAY;
const KEPT_JARS = `${LEDGER}/${PINNED_JARS}`;

/** A job goes on for four months: what its bucket's lifecycle takes away is gone by then. At last somebody cancels it. */
export function letMonthsGoBy(world: World, name: string, cancel: () => void): void {
  const { sim, invariants } = world;
  const isOver = (): boolean => invariants.recordNamed(name)?.outcome !== undefined;
  const go = (times: number): void => {
    sim.after(BETWEEN, () => {
      if (isOver()) return;
      if (times === 0) cancel();
      else {
        sim.skip(AT_ONCE);
        expire(world);
      }
      go(Math.max(0, times - 1));
    });
  };
  go(TIMES);
}

function expire({ s3, sim }: World): void {
  for (const path of s3.keys(KEPT_JARS)) {
    if (sim.now - (s3.objects.get(path)?.modified ?? 0) < KEPT) continue;
    s3.objects.delete(path);
    sim.tell('s3', `${path} expires`);
  }
}
