import type { Clock } from '../core/clock.ts';
import { describeError, DispatchError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { parseDispatchConfig, type DispatchConfig } from '../job/config/dispatch-config.ts';
import { CONFIG_KEY, LAST_GOOD_KEY, type ConfigStore } from './stored-config.ts';

/** A change takes effect within this time in a function that is warm. */
export const RECHECK_MS = 15_000;

export interface ConfigSourceDeps {
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Writes down each good configuration, for functions that start when the stored one is bad. One function does. */
  readonly keepsLastGood?: boolean;
}

/** Answers the configuration: the same object until another one is stored. */
export type ConfigSource = () => Promise<DispatchConfig>;

interface Held {
  readonly config: DispatchConfig;
  /** Of the object that it was read from. One that is bad is read, and told of, at every look. */
  readonly eTag: string | undefined;
  readonly lookedAt: number;
}

/**
 * The stored configuration, asked for anew by its ETag. One that is not good, is gone or cannot be read does not replace the
 * good one before it: that one is used, and it is said.
 * The source throws DispatchError `InvalidConfiguration` when there has been no good one, and as the store does.
 */
export function createConfigSource(deps: ConfigSourceDeps): ConfigSource {
  const { store, clock, log } = deps;
  let held: Held | undefined;
  let looking: Promise<Held> | undefined;
  const look = async (): Promise<Held> => {
    try {
      return await readConfig(held, deps);
    } catch (error) {
      if (held === undefined) throw error;
      log.warn('the configuration cannot be looked at, the one before is used', { error, at: store.uri(CONFIG_KEY) });
      return { ...held, lookedAt: clock.now() };
    }
  };
  return async () => {
    if (held !== undefined && clock.now() - held.lookedAt < RECHECK_MS) return held.config;
    looking ??= look().finally(() => (looking = undefined));
    held = await looking;
    return held.config;
  };
}

async function readConfig(held: Held | undefined, deps: ConfigSourceDeps): Promise<Held> {
  const { store, clock } = deps;
  const stored = await store.read(CONFIG_KEY, held?.eTag);
  const lookedAt = clock.now();
  if (stored === 'unchanged' && held !== undefined) return { ...held, lookedAt };
  const uri = store.uri(CONFIG_KEY);
  if (stored === undefined || stored === 'unchanged') {
    const message = `there is no configuration at ${uri}: store one with flink-dispatch config put`;
    const missing = new DispatchError('InvalidConfiguration', message, { field: CONFIG_KEY });
    return { config: await fallback(missing, held, deps), eTag: held?.eTag, lookedAt };
  }
  const { text, eTag } = stored;
  let config: DispatchConfig;
  try {
    config = parseDispatchConfig(text, uri);
  } catch (error) {
    const message = `the configuration at ${uri} is not good: ${describeError(error)}. Store a good one with flink-dispatch config put`;
    const bad = new DispatchError('InvalidConfiguration', message, { field: CONFIG_KEY, cause: error });
    return { config: await fallback(bad, held, deps), eTag: held?.eTag, lookedAt };
  }
  if (deps.keepsLastGood === true) await keep(text, deps);
  deps.log.info('configuration read', { at: uri, eTag, versionId: stored.versionId });
  return { config, eTag, lookedAt };
}

/** @throws DispatchError what is wrong with the stored one, when there is nothing to go back to */
async function fallback(
  wrong: DispatchError,
  held: Held | undefined,
  { store, log, metrics }: ConfigSourceDeps,
): Promise<DispatchConfig> {
  metrics.add('BadConfiguration', 1);
  if (held !== undefined) {
    log.error('the stored configuration is not used, the good one before it is', { error: wrong });
    return held.config;
  }
  const last = await store.read(LAST_GOOD_KEY);
  const config = last === undefined || last === 'unchanged' ? undefined : parsedOrNone(last.text);
  if (config === undefined) throw wrong;
  log.error('the stored configuration is not used, the last good one is', {
    error: wrong,
    at: store.uri(LAST_GOOD_KEY),
  });
  return config;
}

function parsedOrNone(text: string): DispatchConfig | undefined {
  try {
    return parseDispatchConfig(text);
  } catch {
    return undefined;
  }
}

async function keep(text: string, { store, log }: ConfigSourceDeps): Promise<void> {
  await store.keepLastGood(text).catch((error: unknown) => {
    log.warn('the good configuration could not be kept', { error, at: store.uri(LAST_GOOD_KEY) });
  });
}
