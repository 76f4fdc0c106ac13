import { MAIN_STACK_DEPTH, type MainThread } from '../job-manager.ts';
import { ThreadDump } from './answers.ts';
import { call } from './call.ts';
import type { RestTransport } from './transport.ts';

/** org.apache.flink.client.program.PackagedProgram calls main() from there, in every version and layout of a log. */
const CALLS_MAIN = 'org.apache.flink.client.program.PackagedProgram.callMainMethod';
const FRAME = /^\s+at /gm;
/** Of main()'s stack that a record has room for. */
const MAX_STACK = 8 * 1024;

/** Reads `/jobmanager/thread-dump`, of all threads of the JobManager. */
export async function mainThread(transport: RestTransport): Promise<MainThread | undefined> {
  const request = { method: 'GET', path: '/jobmanager/thread-dump' } as const;
  const { threadInfos } = await call(transport, request, ThreadDump);
  const stacks = threadInfos.map(({ stringifiedThreadInfo }) => stringifiedThreadInfo);
  const stack = stacks.find((text) => text.includes(CALLS_MAIN));
  if (stack !== undefined) return { state: 'running', stack: ofMain(stack).slice(0, MAX_STACK) };
  return stacks.some(isCut) ? undefined : { state: 'returned' };
}

/** A stack of so many frames may have main() below them. */
function isCut(stack: string): boolean {
  return (stack.match(FRAME)?.length ?? 0) >= MAIN_STACK_DEPTH;
}

/** What lies below the call of main() is Flink's. */
function ofMain(stack: string): string {
  const end = stack.indexOf(CALLS_MAIN);
  return stack.slice(0, stack.lastIndexOf('\n', end)).trim();
}
