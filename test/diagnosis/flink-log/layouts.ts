/** One event as a layout prints it; `trace`: its stack trace, without a last line end. */
export type Layout = (level: string, message: string, trace?: string) => string;

const LOGGER = 'org.apache.flink.runtime.entrypoint.ClusterEntrypoint';

const pattern =
  (line: (level: string, message: string) => string): Layout =>
  (level, message, trace) =>
    `${line(level, message)}\n${trace === undefined ? '' : `${trace}\n`}`;

const json =
  (object: (level: string, message: string, trace: string | undefined) => object): Layout =>
  (level, message, trace) =>
    `${JSON.stringify(object(level, message, trace))}\n`;

/** Class, message and frames of each throwable in a trace, as layouts write them that print no text. */
function throwables(trace: string): { className: string; message: string; frames: object[] }[] {
  return trace.split(/\n(?=Caused by: )/).map((part) => {
    const [head = '', ...frames] = part.replace(/^Caused by: /, '').split('\n');
    const [className = '', message = ''] = head.split(/: (.*)/);
    const places = frames.flatMap((frame) => /\tat ([\w.]+)\.(\w+)\(([\w.]+):(\d+)\)/.exec(frame) ?? []);
    return { className, message, frames: places.length < 5 ? [] : [frameOf(places)] };
  });
}

function frameOf([, className, methodName, fileName, line]: readonly string[]): object {
  return { className, methodName, fileName, lineNumber: Number(line) };
}

function nested(trace: string): object | undefined {
  return throwables(trace).reduceRight<object | undefined>(
    (cause, { className, message, frames }) => ({ className, message, stepArray: frames, ...(cause && { cause }) }),
    undefined,
  );
}

/** Stock and usual layouts of log4j and logback, by name. */
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  "Flink's log4j": pattern((l, m) => `2026-01-01 10:00:00,123 ${l.padEnd(5)} ${LOGGER.padEnd(60)} [] - ${m}`),
  "Flink's logback": pattern(
    (l, m) => `2026-01-01 10:00:00.123 [flink-pekko.actor.default-dispatcher-4] ${l.padEnd(5)} ${LOGGER}  - ${m}`,
  ),
  "Flink's logback, with a source thread": pattern(
    (l, m) => `2026-01-01 10:00:00.123 [main] ${l.padEnd(5)} ${LOGGER} flink-pekko.actor - ${m}`,
  ),
  'ISO 8601 with T': pattern((l, m) => `2026-01-01T10:00:00,123 ${l.padEnd(5)} [main] ${LOGGER} - ${m}`),
  'ISO 8601 with a zone': pattern((l, m) => `2026-01-01T10:00:00.123+02:00 [main] ${l} ${LOGGER} - ${m}`),
  'ISO 8601 in UTC': pattern((l, m) => `2026-01-01T10:00:00.123456Z ${l} ${LOGGER} - ${m}`),
  'ISO 8601, basic': pattern((l, m) => `20260101T100000,123 [main] ${l} ${LOGGER} - ${m}`),
  COMPACT: pattern((l, m) => `20260101100000123 ${l} ${LOGGER} - ${m}`),
  'the level in brackets': pattern((l, m) => `2026-01-01 10:00:00,123 [${l}] ${LOGGER} - ${m}`),
  'all in brackets': pattern((l, m) => `[2026-01-01 10:00:00,123] [${l.padEnd(5)}] [main] [${LOGGER}] - ${m}`),
  'a thread with brackets and a level in its name': pattern(
    (l, m) => `2026-01-01 10:00:00,123 [Source: ERROR sink[2] (1/4)#0] ${l} ${LOGGER} - ${m}`,
  ),
  "logback's own": pattern((l, m) => `10:00:00.123 [main] ${l.padEnd(5)} ${LOGGER} -- ${m}`.replace(' -- ', ' - ')),
  TTCC: pattern((l, m) => `467 [main] ${l.padEnd(5)} ${LOGGER} - ${m}`),
  'a level first': pattern((l, m) => `${l.padEnd(5)} [main] ${LOGGER} - ${m}`),
  'a German time': pattern((l, m) => `01.01.2026 10:00:00,123 ${l} [main] ${LOGGER} - ${m}`),
  'an American time': pattern((l, m) => `01/31/2026 10:00:00 AM ${l} ${LOGGER} - ${m}`),
  DATE: pattern((l, m) => `01 Jan 2026 10:00:00,123 ${l} ${LOGGER} - ${m}`),
  'a month in words and a zone': pattern((l, m) => `Jan 1, 2026 10:00:00 CEST ${l} ${LOGGER} - ${m}`),
  'an epoch': pattern((l, m) => `1767261600123 ${l} ${LOGGER} - ${m}`),
  "Spark's": pattern((l, m) => `26/01/01 10:00:00 ${l} ClusterEntrypoint: ${m}`),
  "Spring's": pattern(
    (l, m) => `2026-01-01 10:00:00.123  ${l} 1 --- [           main] o.a.f.r.e.ClusterEntrypoint : ${m}`,
  ),
  'an abbreviated logger': pattern((l, m) => `10:00:00,123 ${l} o.a.f.r.e.ClusterEntrypoint - ${m}`),
  'a class alone': pattern((l, m) => `2026-01-01 10:00:00 ${l} ClusterEntrypoint - ${m}`),
  'no logger': pattern((l, m) => `2026-01-01 10:00:00,123 ${l}: ${m}`),
  'one letter': pattern((l, m) => `2026-01-01 10:00:00,123 ${l.slice(0, 1)} ${LOGGER} - ${m}`),
  'small letters': pattern((l, m) => `2026-01-01 10:00:00,123 ${l.toLowerCase()} ${LOGGER} - ${m}`),
  pipes: pattern((l, m) => `2026-01-01 10:00:00,123 | ${l} | main | ${LOGGER} | ${m}`),
  dashes: pattern((l, m) => `2026-01-01 10:00:00,123 - ${l} - ${LOGGER} - ${m}`),
  colours: pattern((l, m) => `\u001b[2m2026-01-01 10:00:00,123\u001b[m \u001b[1;31m${l}\u001b[m ${LOGGER} - ${m}`),
  'the times of the container runtime': pattern(
    (l, m) => `2026-01-01T10:00:00.123456789Z 2026-01-01 10:00:00,123 ${l} ${LOGGER} [] - ${m}`,
  ),
  'line ends of Windows': (l, m, t) =>
    `2026-01-01 10:00:00,123 ${l} ${LOGGER} [] - ${m}\n${t === undefined ? '' : `${t}\n`}`.replaceAll('\n', '\r\n'),
  'JSON: ECS with dots': json((l, m, t) => ({
    '@timestamp': '2026-01-01T10:00:00.123Z',
    ...{ 'log.level': l, message: m, 'log.logger': LOGGER },
    ...(t === undefined ? {} : { 'error.type': 'a.B', 'error.message': 'no', 'error.stack_trace': t }),
  })),
  'JSON: ECS in objects, traces as arrays': json((l, m, t) => ({
    '@timestamp': '2026-01-01T10:00:00.123Z',
    ...{ log: { level: l, logger: LOGGER }, message: m },
    ...(t === undefined ? {} : { error: { type: 'a.B', message: 'no', stack_trace: t.split('\n') } }),
  })),
  'JSON: logstash-logback-encoder': json((l, m, t) => ({
    ...{ '@timestamp': '2026-01-01T10:00:00.123Z', '@version': '1', message: m, logger_name: LOGGER },
    ...{ thread_name: 'main', level: l, level_value: 40000, ...(t === undefined ? {} : { stack_trace: t }) },
  })),
  'JSON: JsonTemplateLayout, Logstash': json((l, m, t) => ({
    ...{ '@version': 1, message: m, '@timestamp': '2026-01-01T10:00:00.123Z', level: l, logger_name: LOGGER },
    ...(t === undefined ? {} : { exception: { exception_class: 'a.B', exception_message: 'no', stacktrace: t } }),
  })),
  'JSON: JsonTemplateLayout, GCP': json((l, m, t) => ({
    ...{ timestamp: '2026-01-01T10:00:00.123Z', severity: l.replace('WARN', 'WARNING'), message: m, _logger: LOGGER },
    ...(t === undefined ? {} : { _exception: { class: 'a.B', message: 'no', stackTrace: t } }),
  })),
  'JSON: JsonTemplateLayout, GELF': json((l, m, t) => ({
    ...{ version: '1.1', host: 'a', short_message: m, timestamp: 1.5, _logger: LOGGER },
    ...{ level: { ERROR: 3, WARN: 4, INFO: 6 }[l], ...(t === undefined ? {} : { full_message: t }) },
  })),
  'JSON: log4j JsonLayout': json((l, m, t) => ({
    ...{ instant: { epochSecond: 1 }, thread: 'main', level: l, loggerName: LOGGER, message: m },
    ...(t === undefined ? {} : { thrown: { name: 'a.B', message: 'no', extendedStackTrace: t } }),
  })),
  'JSON: logback JsonEncoder': json((l, m, t) => ({
    ...{ timestamp: 1, level: l, threadName: 'main', loggerName: LOGGER, message: m },
    ...(t === undefined ? {} : { throwable: nested(t) }),
  })),
  "JSON: Amazon's managed Flink": json((l, m, t) => ({
    ...{ locationInformation: 'a.B.c(B.java:1)', logger: LOGGER, message: m, messageSchemaVersion: '1' },
    ...{ messageType: l, threadName: 'main', ...(t === undefined ? {} : { throwableInformation: t.split('\n') }) },
  })),
  'JSON: the trace in the message': json((l, m, t) => ({
    ...{ time: 1, level: l, logger: LOGGER, message: t === undefined ? m : `${m}\n${t}` },
  })),
};
