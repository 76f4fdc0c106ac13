import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { FlinkOptions, ResolvedJob } from '../../job/job.ts';

/** Where archives are in the pods. */
export const ARCHIVES = '/flink-dispatch-classes';
const OF_FLINK = `${ARCHIVES}/flink.jsa`;
const OF_SCRIPTS = `${ARCHIVES}/scripts.jsa`;

type Component = 'jobmanager' | 'taskmanager';

/** What each component's JVM is started with beside the job's own options. */
export type FastFlags = Readonly<Record<'jobManager' | 'taskManager', readonly string[]>>;

interface Flag {
  readonly flag: string;
  /** What somebody who set one of these meant otherwise. */
  readonly unless: RegExp;
}

/** The first compiler alone, and the collector without threads: half of the processor time of a start, and less peak speed. */
const COMPILER = /-XX:[+-]?Tiered|-XX:[+-]UseJVMCI|-Xint|-Xcomp|-client|-server/;
const SHORT_LIVED: readonly Flag[] = [
  { flag: '-XX:TieredStopAtLevel=1', unless: COMPILER },
  { flag: '-XX:+UseSerialGC', unless: /-XX:[+-]Use\w*GC/ },
];

/** What a JVM would say, where a job's output goes, of an archive that it cannot map. */
const UNSAID = ['-Xlog:cds=off', '-Xlog:cds+dynamic=off'];

/** `auto`, a JVM's default: one that cannot map it goes on without. */
function mapped(file: string): readonly Flag[] {
  const unless = /-Xshare|-XX:SharedArchiveFile|-XX:ArchiveClassesAtExit|-XX:[+-]UseSharedSpaces/;
  return [`-XX:SharedArchiveFile=${file}`, '-Xshare:auto', ...UNSAID].map((flag) => ({ flag, unless }));
}

/** By which a JVM of the start scripts compiles little, and how the one that counts is told to compile as ever. */
const LITTLE = '-XX:TieredStopAtLevel=1';
const AS_EVER = '-XX:TieredStopAtLevel=4';
const SCRIPTS = 'JAVA_TOOL_OPTIONS';

/**
 * A batch job's JobManager and the TaskManagers of a job that is `short` live too briefly for what the second compiler
 * makes; TaskManagers of all others compute for long. What the job's own options say of the same stays as they say it.
 */
export function fastFlags(job: ResolvedJob, hasArchive: boolean): FastFlags {
  const classes = hasArchive ? mapped(OF_FLINK) : [];
  const of = (component: Component, isShort: boolean): readonly string[] => {
    const said = saidOf(job, component);
    const compiler = isShort ? SHORT_LIVED : [{ flag: AS_EVER, unless: COMPILER }];
    return [...classes, ...compiler].flatMap(({ flag, unless }) => (unless.test(said) ? [] : [flag]));
  };
  return {
    jobManager: of('jobmanager', job.kind === 'batch'),
    taskManager: of('taskmanager', job.fastStart === 'short'),
  };
}

/**
 * Flink's options with these flags before all that the job says in `env.java.opts.<component>`. Flink's start scripts run
 * two or three JVMs before the one that counts, each for half a second: those have their flags from the environment, which
 * the flags of the last one overrule.
 */
export function fastOptions(
  { options, podTemplates }: Pick<ResolvedJob, 'options' | 'podTemplates'>,
  flags: FastFlags,
): FlinkOptions {
  const added = (component: Component, prefix: string, own: readonly string[]): FlinkOptions => {
    const key = `env.java.default-opts.${component}`;
    // What somebody else says in the variable stays, such as an agent of the deployment's own.
    const isSaid =
      options[`${prefix}${SCRIPTS}`] !== undefined || valuesOf(SCRIPTS, Object.values(podTemplates)).length > 0;
    const scripts = isSaid ? [] : ofScripts(own);
    return {
      ...(own.length === 0 ? {} : { [key]: [...own, ...(options[key] === undefined ? [] : [options[key]])].join(' ') }),
      ...(scripts.length === 0 ? {} : { [`${prefix}${SCRIPTS}`]: scripts.join(' ') }),
    };
  };
  return {
    ...added('jobmanager', 'containerized.master.env.', flags.jobManager),
    ...added('taskmanager', 'containerized.taskmanager.env.', flags.taskManager),
  };
}

/** Each is overruled by one of the JVM that counts. */
function ofScripts(own: readonly string[]): readonly string[] {
  const overrules = (name: string): boolean => own.some((flag) => flag.startsWith(name));
  return [
    ...(overrules('-XX:TieredStopAtLevel=') ? [LITTLE] : []),
    ...(overrules('-XX:SharedArchiveFile=') ? [`-XX:SharedArchiveFile=${OF_SCRIPTS}`, ...UNSAID] : []),
  ];
}

/** All that a job says to that component's JVM. */
function saidOf({ options, podTemplates }: ResolvedJob, component: Component): string {
  const prefix = `containerized.${component === 'jobmanager' ? 'master' : 'taskmanager'}.env.`;
  const keys = ['all', component].flatMap((of) => [`env.java.default-opts.${of}`, `env.java.opts.${of}`]);
  const variables = VARIABLES.map((name) => options[prefix + name] ?? '');
  const inTemplates = VARIABLES.flatMap((name) => valuesOf(name, Object.values(podTemplates)));
  const all = [...keys.map((key) => options[key] ?? ''), options['env.java.opts'] ?? '', ...variables, ...inTemplates];
  return all.join(' ');
}

/** Of variables that a JVM, or Flink's scripts for it, read; one that comes from elsewhere may say anything. */
const VARIABLES = [
  'JVM_ARGS',
  'FLINK_ENV_JAVA_OPTS',
  'FLINK_ENV_JAVA_OPTS_JM',
  'FLINK_ENV_JAVA_OPTS_TM',
  SCRIPTS,
].concat(['JDK_JAVA_OPTIONS', '_JAVA_OPTIONS', 'JAVA_OPTS']);

function valuesOf(name: string, templates: readonly V1PodTemplateSpec[]): readonly string[] {
  const variables = templates.flatMap(({ spec }) => (spec?.containers ?? []).flatMap(({ env = [] }) => env));
  return variables.flatMap((one) => (one.name === name ? [one.value ?? ANYTHING] : []));
}

/** What somebody may have said of each flag. */
const ANYTHING = '-Xint -XX:+UseGC -Xshare';
