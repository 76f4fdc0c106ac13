import { DispatchError } from '../../core/errors.ts';
import type { ClusterRequest, ProgramFlags } from '../cluster.ts';
import { FlinkConfiguration } from '../config/configuration.ts';
import { loadConfiguration } from '../config/files.ts';
import { JavaHashMap } from '../config/java-map.ts';
import type { ConfigValue } from '../config/values.ts';
import { FLINK } from '../options/flink.ts';
import { option, type Option } from '../options/option.ts';
import type { FlinkRules } from '../version.ts';

const TARGETS = { application: 'kubernetes-application', session: 'kubernetes-session' } as const;

/**
 * What the client works with: the conf folder, over it the dynamic properties, over them what the flags of `flink run`
 * say (CliFrontend.run, GenericCLI.toConfiguration, KubernetesSessionCli.getEffectiveConfiguration).
 * @throws DispatchError `InvalidConfiguration`, `InvalidSpec`
 */
export function effectiveConfiguration(request: ClusterRequest, rules: FlinkRules): FlinkConfiguration {
  const configuration = loadConfiguration(request.conf, rules.version).copy();
  const { standardYaml } = configuration;
  const dynamic = new FlinkConfiguration(standardYaml, [[FLINK.target.key, TARGETS[request.mode]]]);
  for (const [key, value] of inPropertiesOrder(request.options)) dynamic.setRaw(key, value);
  configuration.addAll(dynamic);
  if (request.mode === 'session') {
    configuration.set(FLINK.target, TARGETS.session);
    return configuration;
  }
  checkTarget(configuration);
  addProgram(configuration, request, rules);
  return configuration;
}

/** DynamicPropertiesUtil goes through Properties.stringPropertyNames, which is a HashMap's key set. */
function inPropertiesOrder(options: Readonly<Record<string, string>>): [string, string][] {
  const map = new JavaHashMap<string>();
  for (const [key, value] of Object.entries(options)) map.set(key, value);
  return map.entries();
}

/** KubernetesClusterDescriptor.deployApplicationCluster. */
function checkTarget(configuration: FlinkConfiguration): void {
  const target = configuration.getOptional(FLINK.target);
  if (target?.toLowerCase() === TARGETS.application) return;
  throw new DispatchError('InvalidConfiguration', `${FLINK.target.key} '${target}' must be ${TARGETS.application}`, {
    field: FLINK.target.key,
  });
}

/** ProgramOptions.applyToConfiguration, ExecutionConfigAccessor, ApplicationConfiguration.applyToConfiguration. */
function addProgram(configuration: FlinkConfiguration, request: ClusterRequest, rules: FlinkRules): void {
  const { program, flags } = request;
  if (program === undefined) {
    throw new DispatchError('InvalidSpec', 'an application cluster needs a program', { field: 'program' });
  }
  const { standardYaml } = configuration;
  const written = new FlinkConfiguration(standardYaml);
  writeFlags(flags ?? {}, rules, (one, value) => {
    // Without flags, as a caller that is no command line, the options are not overwritten by flags' defaults.
    if (flags !== undefined || !configuration.contains(one)) written.set(one, value);
  });
  encodeList(written, FLINK.jars, program.jars.map(checkUri), rules);
  configuration.addAll(written);
  encodeList(configuration, FLINK.programArgs, program.args, rules);
  if (program.entryClass !== undefined) configuration.set(FLINK.mainClass, program.entryClass);
}

function writeFlags(
  flags: ProgramFlags,
  rules: FlinkRules,
  write: (option: Option<unknown>, value: ConfigValue) => void,
): void {
  const recovery = recoveryOptions(rules);
  if (flags.parallelism !== undefined) write(FLINK.parallelism, BigInt(flags.parallelism));
  write(FLINK.attached, flags.detached !== true);
  write(FLINK.shutdownIfAttached, flags.shutdownOnAttachedExit === true);
  const classpaths = (flags.classpaths ?? []).map(classpathUrl);
  if (classpaths.length > 0 || rules.writesEmptyLists) write(FLINK.classpaths, classpaths);
  // CliFrontendParser.createSavepointRestoreSettings: the other two count only with a path
  const restores = flags.savepointPath !== undefined;
  write(recovery.ignoreUnclaimed, restores && flags.allowNonRestoredState === true);
  write(recovery.claimMode, (restores ? flags.claimMode : undefined) ?? 'NO_CLAIM');
  if (flags.savepointPath !== undefined) write(recovery.path, flags.savepointPath);
}

/** SavepointConfigOptions in 1.19, then StateRecoveryOptions with those as deprecated keys. */
function recoveryOptions({ rank, recoveryKeys }: FlinkRules): Record<keyof typeof recoveryKeys, Option<unknown>> {
  const older = (key: string) => (rank < 120 ? {} : { deprecated: [key] });
  return {
    path: option.string(recoveryKeys.path, older('execution.savepoint.path')),
    ignoreUnclaimed: option.boolean(recoveryKeys.ignoreUnclaimed, older('execution.savepoint.ignore-unclaimed-state')),
    claimMode: option.string(recoveryKeys.claimMode, older('execution.savepoint-restore-mode')),
  };
}

/** ConfigUtils.encodeCollectionToConfig. */
function encodeList(
  configuration: FlinkConfiguration,
  target: Option<unknown>,
  values: readonly string[],
  rules: FlinkRules,
): void {
  if (values.length > 0 || rules.writesEmptyLists) configuration.set(target, values);
}

/** PackagedProgramUtils.resolveURI; a path of this machine becomes a file URI. @throws DispatchError `InvalidSpec` */
function checkUri(jar: string): string {
  // what java.net.URI takes: no blanks, no unwise characters, only whole escapes
  const legal = !/[\s"<>\\^`{|}]|%(?![0-9a-f]{2})/i.test(jar);
  if (legal && /^[a-z][a-z0-9+.-]*:/i.test(jar)) return jar;
  if (legal && jar.startsWith('/')) return `file:${jar.replaceAll('%', '%25')}`;
  throw new DispatchError('InvalidSpec', `jar '${jar}' is not a URI such as local:///opt/flink/usrlib/job.jar`, {
    field: 'jarURI',
  });
}

/** ProgramOptions: `-C` through java.net.URL, which drops an empty authority. @throws DispatchError `InvalidSpec` */
function classpathUrl(text: string): string {
  const [, protocol, rest] = /^(file|https?|ftp|jar):(.*)$/is.exec(text.trim()) ?? [];
  if (protocol === undefined || rest === undefined) {
    throw new DispatchError(
      'InvalidSpec',
      `classpath '${text}' is not a URL such as file:///opt/flink/usrlib/lib.jar`,
      {
        field: FLINK.classpaths.key,
      },
    );
  }
  return `${protocol.toLowerCase()}:${rest.replace(/^\/\/(?=\/)/, '')}`;
}
