import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics as Emf, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy, { type MiddlewareObj, type MiddyfiedHandler } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Log } from '../lib/core/log.ts';
import type { Metrics } from '../lib/core/metrics.ts';

/** The namespace of the metrics; their dimension `service` is the stack's name (infra/aws/monitoring.cjs). */
const NAMESPACE = 'FlinkDispatch';

let logger: Logger | undefined;
let emf: Emf | undefined;

function theLogger(): Logger {
  return (logger ??= new Logger({ serviceName: process.env['STACK_NAME'] ?? 'flink-dispatch' }));
}

function theMetrics(): Emf {
  const serviceName = process.env['STACK_NAME'] ?? 'flink-dispatch';
  return (emf ??= new Emf({ namespace: NAMESPACE, serviceName }));
}

/** Lines of JSON; those about a run have its `runId`, all that one invocation says have its request's id. */
export const log: Log = {
  info: (message, fields = {}) => theLogger().info(message, fields),
  warn: (message, fields = {}) => theLogger().warn(message, fields),
  error: (message, fields = {}) => theLogger().error(message, fields),
};

/** Written as log lines, of which CloudWatch makes metrics. */
export const metrics: Metrics = {
  add(name, value, dimensions) {
    if (dimensions === undefined) {
      theMetrics().addMetric(name, MetricUnit.Count, value);
      return;
    }
    const single = theMetrics().singleMetric();
    for (const [key, text] of Object.entries(dimensions)) single.addDimension(key, text);
    single.addMetric(name, MetricUnit.Count, value);
  },
};

const telemetry: MiddlewareObj<unknown, unknown, Error, Context> = {
  before: ({ context }) => theLogger().addContext(context),
  after: flush,
  onError: flush,
};

function flush(): void {
  if (emf?.hasStoredMetrics() === true) emf.publishStoredMetrics();
}

/** A Lambda handler whose log lines and metrics say which invocation they are of. */
export function lambda<E, R>(
  handle: (event: E, context: Context) => Promise<R>,
): MiddyfiedHandler<E, R, Error, Context> {
  return middy<E, R, Error, Context>(handle).use(telemetry);
}
