import { main } from '../src/main.ts';
import { fakeIo } from './fake-io.ts';

/** Runs the command line in this process. Answers its exit code and what it wrote. */
export async function runCli(
  argv: readonly string[],
  {
    env = {},
    input = [],
    version = '1',
  }: { env?: Record<string, string>; input?: readonly string[]; version?: string } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const io = fakeIo(env, input);
  const code = await main(argv, io, version);
  return { code, out: io.stdout(), err: io.stderr() };
}
