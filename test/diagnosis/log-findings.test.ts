import { describe, expect, it } from 'vitest';
import { findInLog } from '../../lib/diagnosis/log-findings.ts';

const INFO = '2026-11-21 08:39:40,592 INFO  org.apache.flink.runtime.jobmaster.JobMaster [] - Starting.';
const WARN = `2026-11-21 08:39:40,592 WARN  org.apache.flink.runtime.RpcGatewayRetriever [] - Retrying to connect.
java.util.concurrent.CompletionException: no
Caused by: org.apache.flink.runtime.rpc.exceptions.RpcConnectionException: Could not connect`;
const ERROR = `2026-11-21 08:39:41,592 ERROR org.apache.flink.runtime.entrypoint.ClusterEntrypoint [] - Fatal.
java.lang.IllegalStateException: the cause
\tat a.B.c(B.java:1)`;
const UNCAUGHT = `Exception in thread "main" java.lang.IllegalArgumentException: not caught
\tat a.B.c(B.java:1)`;

describe('what a log says of a JobManager that stopped', () => {
  it.each([
    ['nothing, when all that it tells was survived', [INFO, WARN, INFO], undefined],
    ['the last ERROR', [INFO, WARN, ERROR, INFO], 'java.lang.IllegalStateException: the cause'],
    ['what nobody caught', [INFO, WARN, UNCAUGHT], 'java.lang.IllegalArgumentException: not caught'],
    ['what the JVM prints without a log', [UNCAUGHT], 'java.lang.IllegalArgumentException: not caught'],
  ])('%s', (_what, lines, rootException) => {
    expect(findInLog(lines.join('\n'))?.rootException).toBe(rootException);
  });

  it.each([
    "Improperly specified VM option 'MaxDirectMemorySize=banana'",
    "Missing +/- setting for VM option 'UseG1GC'",
    'Conflicting collector combinations in option list; please refer to the release notes',
    'Error opening zip file or JAR manifest missing : /opt/agent.jar',
    'Initial heap size set to a larger value than the maximum heap size',
  ])('what the JVM does not take: %s', (said) => {
    const log = `${INFO}\n${said}\nError: Could not create the Java Virtual Machine.\nError: A fatal exception has occurred.`;
    expect(findInLog(log)).toMatchObject({
      reason: 'InvalidConfiguration',
      message: `The JVM refuses its options: ${said}`,
    });
  });

  it.each([
    'exec /docker-entrypoint.sh: exec format error',
    'standard_init_linux.go:228: exec user process caused: exec format error',
    'standard_init_linux.go:211: exec user process caused "exec format error"',
  ])('an image for another processor: %s', (said) => {
    expect(findInLog(`${said}\n`)).toMatchObject({
      reason: 'ImageUnsuitable',
      message: expect.stringContaining('built for another processor than the node has') as string,
    });
    expect(findInLog(`${INFO}\n${INFO} ${said}`)).toBeUndefined();
  });

  it('how often it says so', () => {
    const killed = 'Worker x-taskmanager-1-1 is terminated. Diagnostics: Pod terminated, reason=OOMKilled';
    const finding = findInLog([INFO, killed, INFO, killed.replace('1-1', '1-2')].join('\n'));
    expect(finding).toMatchObject({ reason: 'TaskManagerOutOfMemory', times: 2 });
  });
});
