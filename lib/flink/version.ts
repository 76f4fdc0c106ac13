import { DispatchError } from '../core/errors.ts';

/** Where Flink's versions differ in what their client makes. */
export interface FlinkRules {
  /** As asked for: `2.3.0`, `2.3`. */
  readonly version: string;
  /** Comparable: 1.20 is 120, 2.3 is 203. */
  readonly rank: number;
  /** GlobalConfiguration: before 2.0 a flink-conf.yaml in the conf folder goes before config.yaml. */
  readonly readsFlinkConf: boolean;
  /** ConfigUtils.encodeCollectionToConfig: before 2.0 empty lists are written too. */
  readonly writesEmptyLists: boolean;
  /** AbstractContainerizedClusterClientFactory: before 2.0 `jobmanager.heap.*` and `taskmanager.heap.*` count. */
  readonly readsLegacyHeap: boolean;
  /** FlinkConfMountDecorator: the files of the conf folder that go into the ConfigMap, in order. */
  readonly logFiles: readonly string[];
  /** KubernetesClusterDescriptor: from 2.0 an application may have no jar of its own. */
  readonly jarRequired: boolean;
  /** The keys of SavepointConfigOptions (1.19), StateRecoveryOptions from 1.20. */
  readonly recoveryKeys: { readonly path: string; readonly ignoreUnclaimed: string; readonly claimMode: string };
  /** Set when this version is newer than those whose rules are known. */
  readonly warning?: string;
}

const OLDEST_FLINK = 119;
const NEWEST_FLINK = 203;

/**
 * The rules of a Flink version, 1.19 to 2.3. A later 2.x follows the newest known rules and says so in `warning`:
 * minor releases have added options but changed no object so far.
 * @throws DispatchError `UnsupportedFlinkVersion` for older versions, later major ones and what is no version.
 */
export function flinkRules(version: string): FlinkRules {
  const rank = rankOf(version);
  if (rank < OLDEST_FLINK || rank >= 300 || (rank > 120 && rank < 200)) throw unsupported(version);
  return {
    version,
    rank,
    readsFlinkConf: rank < 200,
    writesEmptyLists: rank < 200,
    readsLegacyHeap: rank < 200,
    logFiles: rank < 201 ? ['logback-console.xml', 'log4j-console.properties'] : ALL_LOG_FILES,
    jarRequired: rank < 200,
    recoveryKeys: rank < 120 ? SAVEPOINT_KEYS : STATE_RECOVERY_KEYS,
    ...(rank > NEWEST_FLINK && {
      warning: `Flink ${version} is newer than 2.3, the newest whose rules are known: its objects are made by those of 2.3`,
    }),
  };
}

/** `1.20.0` → 120, `2.3-SNAPSHOT` → 203; NaN-free: what is no version is refused. @throws DispatchError */
export function rankOf(version: string): number {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:[-+._a-z].*)?$/i.exec(version) ?? [];
  if (major === undefined || minor === undefined) throw unsupported(version);
  return Number(major) * 100 + Number(minor);
}

function unsupported(version: string): DispatchError {
  return new DispatchError('UnsupportedFlinkVersion', `Flink version '${version}' is not one of 1.19 to 2.3`, {
    field: 'flinkVersion',
  });
}

/** Constants.CONFIG_FILE_NAME_LIST. */
const ALL_LOG_FILES = [
  'logback.xml',
  'log4j.properties',
  'logback-console.xml',
  'log4j-console.properties',
  'logback-session.xml',
  'log4j-session.properties',
  'log4j-cli.properties',
];

const SAVEPOINT_KEYS = {
  path: 'execution.savepoint.path',
  ignoreUnclaimed: 'execution.savepoint.ignore-unclaimed-state',
  claimMode: 'execution.savepoint-restore-mode',
};

const STATE_RECOVERY_KEYS = {
  path: 'execution.state-recovery.path',
  ignoreUnclaimed: 'execution.state-recovery.ignore-unclaimed-state',
  claimMode: 'execution.state-recovery.claim-mode',
};
