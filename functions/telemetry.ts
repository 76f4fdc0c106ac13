import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics as Emf, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Log } from '../lib/core/log.ts';
import type { Metrics } from '../lib/core/metrics.ts';
import { redactJson } from '../lib/core/redaction/redact.ts';
import { isSensitiveKey } from '../lib/core/redaction/sensitive-keys.ts';

/** The namespace of the metrics; their dimension `service` is the stack's name (infra/aws/monitoring.cjs). */
const NAMESPACE = 'FlinkDispatch';
const serviceName = process.env['STACK_NAME'] ?? 'flink-dispatch';

const logger = new Logger({ serviceName, jsonReplacerFn: withoutSecrets });

const emf = new Emf({
  namespace: NAMESPACE,
  serviceName,
  // Most invocations have no metric, which Powertools would warn of each time.
  logger: {
    debug: () => undefined,
    info: () => undefined,
    warn: (message: unknown) => {
      if (!String(message).startsWith('No application metrics')) logger.warn(String(message));
    },
    error: (message: unknown) => logger.error(String(message)),
  },
});

/** Of an error's message and stack too: what others answered stands in them. */
function withoutSecrets(key: string, value: unknown): unknown {
  if (value instanceof Error) return value;
  if (!Array.isArray(value) && typeof value !== 'string' && !isSensitiveKey(key)) return value;
  return redactJson({ [key]: value })[key];
}

/** Lines of JSON; those about a run have its `runId`, all that one invocation says have its request's id. */
export const log: Log = {
  info: (message, fields = {}) => logger.info(message, fields),
  warn: (message, fields = {}) => logger.warn(message, fields),
  error: (message, fields = {}) => logger.error(message, fields),
};

/** Written as log lines, of which CloudWatch makes metrics. */
export const metrics: Metrics = {
  add(name, value, dimensions) {
    if (dimensions === undefined) {
      emf.addMetric(name, MetricUnit.Count, value);
      return;
    }
    const single = emf.singleMetric();
    for (const [key, text] of Object.entries(dimensions)) single.addDimension(key, text);
    single.addMetric(name, MetricUnit.Count, value);
  },
};

/** A Lambda handler whose log lines and metrics say which invocation they are of. */
export function lambda<E, R>(
  handle: (event: E, context: Context) => Promise<R>,
): MiddyfiedHandler<E, R, Error, Context> {
  return middy<E, R, Error, Context>(handle).use(injectLambdaContext(logger)).use(logMetrics(emf));
}
