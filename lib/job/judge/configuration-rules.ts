import type { FinishedCluster } from '../../flink/finished.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import { refuseOption } from '../policy/policy-options.ts';
import type { Found } from './rules.ts';

/** Keys that Flink's client or the dispatcher writes for the job: their values are Flink's words, not a user's. */
const WRITTEN =
  /^(\$internal\.|internal\.|kubernetes\.(cluster-id|namespace|internal\.)|execution\.target$|pipeline\.(jars|classpaths)$)/;

/** The configuration as the JobManager reads it: each entry that the deployment alone would not have. */
export function judgeConfiguration(built: FinishedCluster, base: FinishedCluster, allow: AllowList): readonly Found[] {
  const theirs = base.configuration.toStrings();
  const own = built.cluster.configuration;
  return built.configuration
    .toStrings()
    .entries()
    .filter(([key, value]) => theirs.get(key) !== value)
    .flatMap(([key, value]) => {
      const field = `flinkConfiguration[${JSON.stringify(key)}]`;
      // a file that reads otherwise than the map it was written from
      if (!Object.hasOwn(own, key)) return [{ field, message: 'is not what the configuration says' }];
      const message = WRITTEN.test(key) ? undefined : refuseOption(key, value, allow);
      return message === undefined ? [] : [{ field, message }];
    });
}
