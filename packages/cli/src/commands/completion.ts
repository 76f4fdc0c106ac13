import type { Command, Execute } from '../command.ts';
import { completionFor, SHELLS } from '../completion.ts';
import { UsageError } from '../flags/usage.ts';

/** Prints what the shell reads. */
export function completionOf(commands: readonly Command[]): Execute {
  return (io, { args }) => {
    const shell = SHELLS.find((one) => one === args[0]);
    if (shell === undefined || args.length > 1) throw new UsageError(`completion takes one of: ${SHELLS.join(', ')}`);
    io.out(completionFor(shell, 'flink-dispatch', commands));
    return Promise.resolve(0);
  };
}
