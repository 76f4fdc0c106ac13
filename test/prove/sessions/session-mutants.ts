import { Draws } from '../draws.ts';
import type { Mutant } from '../mutants.ts';
import { hasSessions } from './session-workload.ts';
import { workloadOf } from '../workload.ts';

const SUBMIT = 'lib/dispatch/modes/session-submit.ts';
const SESSION = 'lib/dispatch/modes/session-mode.ts';
const POOL = 'lib/dispatch/modes/pool.ts';
const LEASE = 'lib/run/session-lease.ts';
const SESSION_RULES = 'lib/verdict/session-rules.ts';
const PINS = 'lib/job/jar/s3-pins.ts';

/** Worlds in which they matter, of those in which much goes wrong. */
const SEEDS = Array.from({ length: 20_000 }, (_, seed) => seed).filter((seed) => {
  const draws = new Draws(seed);
  return hasSessions(draws) && workloadOf(draws).rate >= 0.03;
});

/** Guards of runs in sessions, of pools, and of jars that are kept by their content. */
const GUARDS: readonly Omit<Mutant, 'seeds'>[] = [
  {
    name: 'who submits is on record before it submits',
    file: SUBMIT,
    guard: '  return mine || age >= TAKE_OVER ? takeOver(at, observation) : wait;',
    without: '  return runJar(at);',
  },
  {
    name: 'a submission of another function is left to it',
    file: SUBMIT,
    guard: 'return mine || age >= TAKE_OVER ?',
    without: 'return true ?',
  },
  {
    name: 'what was answered is not submitted again',
    file: SUBMIT,
    guard: '  if (submission?.answeredAt !== undefined) return wait;\n',
    without: '',
  },
  {
    name: 'a main() that may still come loses its jar before another one is run',
    file: SUBMIT,
    guard: 'if (first !== undefined && !forgets) return first.id;',
    without: 'if (first !== undefined) return first.id;',
  },
  {
    name: 'a refusal is looked at before it is believed',
    file: SUBMIT,
    guard: '(await isThere(at)) ? { record: done }',
    without: 'false ? { record: done }',
  },
  {
    name: 'a job in a session is canceled before its run is closed',
    file: SESSION,
    guard: 'if (job !== undefined && !isTerminal(job.state)) {',
    without: "if (job !== undefined && job.state === 'CREATED') {",
  },
  {
    name: 'the jar of an attempt is taken from its session',
    file: SESSION,
    guard: '  for (const { id } of (await jars.list()).filter((jar) => jar.name === name)) await jars.remove(id);\n',
    without: '',
  },
  {
    name: 'the jar of an attempt is taken from the next JobManager, too',
    file: SESSION,
    guard: '!jobManagerRuns(kubernetes);',
    without: 'isOver(attempt, kubernetes);',
  },
  {
    name: 'only the jar of the attempt is taken',
    file: SESSION,
    guard: '(await jars.list()).filter((jar) => jar.name === name)) await',
    without: '(await jars.list())) await',
  },
  {
    name: 'a run joins before it uses the session of a pool',
    file: SESSION,
    guard: '    await joinPool(poolUse(at), pool);\n',
    without: '',
  },
  {
    name: 'a job that may have finished in its session has no other attempt',
    file: SESSION_RULES,
    guard: 'if (input.attempt.submission === undefined || isEndless(input.record)) return failure(',
    without: 'if (input.attempt.number > 0) return failure(',
  },
  {
    name: 'a job that nobody saw in time may have been there',
    file: SESSION_RULES,
    guard: '  submissionDeadline,\n',
    without: '',
  },
  {
    name: 'a job whose end the log tells is not submitted again',
    file: SESSION_RULES,
    guard: '  terminalStateInLog,\n',
    without: '',
  },
  {
    name: 'an attempt that leaves late leaves the share of the next',
    file: POOL,
    guard: ' && joined <= since;',
    without: ';',
  },
  {
    name: 'an idle session has no job of anybody',
    file: LEASE,
    guard: '  if (jobs > 0) {',
    without: '  if (jobs > 1_000) {',
  },
  {
    name: 'nobody joins a session that is being stopped',
    file: POOL,
    guard: "known?.state === 'stopping' ? await finishStop(target, leases, known) : known;",
    without: 'known;',
  },
  {
    name: 'a session is removed while its lease says so',
    file: POOL,
    guard: "  if ((await leases.read(session))?.value.state !== 'stopping') return [`Deployment/${ref.clusterId}`];\n",
    without: '',
  },
  {
    name: 'what a session has left behind goes before the next one is made',
    file: POOL,
    guard: '    await cluster.removeLeftovers(plan, uid);\n',
    without: '',
  },
  {
    name: 'what a session that stands has kept stays',
    file: 'lib/kubernetes/cluster/leftovers.ts',
    guard: '  if (mayHaveStarted) return;\n',
    without: '',
  },
  {
    name: 'only the pool’s own session is removed',
    file: POOL,
    guard: "  if (deployment.owner?.kind !== 'pool') return [];\n",
    without: '',
  },
  {
    name: 'a session takes no room that was promised',
    file: SESSION,
    guard: 'await placeFor(plan, owner, at);',
    without: '{ settle: () => Promise.resolve(), giveBack: () => Promise.resolve() };',
  },
  {
    name: 'a sweep goes by the leases, too',
    file: 'lib/dispatch/sweep/sweep-clusters.ts',
    guard: 'const leases = await deps.leases.list(name);',
    without: 'const leases: Awaited<ReturnType<typeof deps.leases.list>> = [];',
  },
  {
    name: 'a jar is kept before its run is on record',
    file: 'lib/dispatch/accept.ts',
    guard: 'checkSum(await deps.pin(asked.again?.exactly ? keptCopy(draft.jar) : draft.jar))',
    without: 'checkSum(draft.jar)',
  },
  {
    name: 'only what was looked into is kept',
    file: PINS,
    guard: '        CopySourceIfMatch: quoted(eTag),\n',
    without: '',
  },
  {
    name: 'a kept jar that would expire is renewed',
    file: PINS,
    guard: '  if (isOld(head, store.clock.now())) await copyOwn(store, key, key, sha256);\n  return { bucket',
    without: '  return { bucket',
  },
];

export const SESSION_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({ ...guard, seeds: SEEDS }));
