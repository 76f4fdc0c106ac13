import type { ConfFiles } from '../cluster.ts';
import type { FlinkRules } from '../version.ts';
import type { ConfigValue } from './values.ts';

/** What the conf folder of a distribution sets, for callers without one. Typed as its YAML is. */
export function builtInConfiguration(rules: FlinkRules): [string, ConfigValue][] {
  return [
    ['env.java.opts.all', javaOptions(rules)],
    ['jobmanager.rpc.address', 'localhost'],
    ['jobmanager.rpc.port', 6123n],
    ['jobmanager.memory.process.size', '1600m'],
    ['jobmanager.execution.failover-strategy', 'region'],
    ['taskmanager.numberOfTaskSlots', 1n],
    ['taskmanager.memory.process.size', '1728m'],
    ['parallelism.default', 1n],
    ['rest.address', 'localhost'],
  ];
}

const DEFAULTS = 'env.java.default-opts.all';

/**
 * What keeps Flink's own JVM options where somebody sets `env.java.opts.all`, which replaces those of the conf folder: as
 * the Flink Kubernetes operator does, in the option that Flink puts before it.
 */
export function withJavaDefaults(
  options: Readonly<Record<string, string>>,
  rules: FlinkRules,
): Readonly<Record<string, string>> {
  const replaced = options['env.java.opts.all'] !== undefined && options[DEFAULTS] === undefined;
  return replaced ? { ...options, [DEFAULTS]: javaOptions(rules) } : options;
}

/** What Flink needs opened on Java 17: without these a JobManager ends at once. */
function javaOptions(rules: FlinkRules): string {
  const exports = rules.rank < 200 ? ['java.base/sun.net.util', ...EXPORTS] : EXPORTS;
  return [
    ...exports.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
    ...OPENS.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  ].join(' ');
}

const EXPORTS = [
  'java.rmi/sun.rmi.registry',
  ...['api', 'file', 'parser', 'tree', 'util'].map((name) => `jdk.compiler/com.sun.tools.javac.${name}`),
  'java.security.jgss/sun.security.krb5',
];

const OPENS = [
  'java.lang',
  'java.net',
  'java.io',
  'java.nio',
  'sun.nio.ch',
  'java.lang.reflect',
  'java.text',
  'java.time',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'java.util.concurrent.locks',
];

/** Logging to the console, for `kubectl logs`, and to a file of bounded size, for the web UI. */
export const BUILT_IN_LOG_FILES: ConfFiles = {
  'log4j-console.properties': `monitorInterval=30

rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
rootLogger.appenderRef.file.ref = File

# connections and clients that log much at INFO
logger.pekko.name = org.apache.pekko
logger.pekko.level = INFO
logger.kafka.name = org.apache.kafka
logger.kafka.level = INFO
logger.hadoop.name = org.apache.hadoop
logger.hadoop.level = INFO
logger.zookeeper.name = org.apache.zookeeper
logger.zookeeper.level = INFO
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF

appender.console.name = Console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.console.filter.limit.type = MarkerFilter
appender.console.filter.limit.marker = METRICS
appender.console.filter.limit.onMatch = DENY
appender.console.filter.limit.onMismatch = NEUTRAL

appender.file.name = File
appender.file.type = RollingFile
appender.file.append = true
appender.file.fileName = \${sys:log.file}
appender.file.filePattern = \${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 100MB
appender.file.policies.startup.type = OnStartupTriggeringPolicy
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = \${env:MAX_LOG_FILE_NUMBER:-10}
`,
  'logback-console.xml': `<configuration scan="true" scanPeriod="30 seconds">
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder>
      <pattern>%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{60} %X{sourceThread} - %msg%n</pattern>
    </encoder>
  </appender>
  <appender name="rolling" class="ch.qos.logback.core.rolling.RollingFileAppender">
    <file>\${log.file}</file>
    <append>true</append>
    <rollingPolicy class="ch.qos.logback.core.rolling.FixedWindowRollingPolicy">
      <fileNamePattern>\${log.file}.%i</fileNamePattern>
      <minIndex>1</minIndex>
      <maxIndex>10</maxIndex>
    </rollingPolicy>
    <triggeringPolicy class="ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy">
      <maxFileSize>100MB</maxFileSize>
    </triggeringPolicy>
    <encoder>
      <pattern>%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{60} %X{sourceThread} - %msg%n</pattern>
    </encoder>
  </appender>
  <root level="INFO">
    <appender-ref ref="console"/>
    <appender-ref ref="rolling"/>
  </root>
  <logger name="org.jboss.netty.channel.DefaultChannelPipeline" level="OFF"/>
</configuration>
`,
};
