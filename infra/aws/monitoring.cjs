// Alarms and the dashboard. Every alarm has its entry in the runbook, by its name; with a topic it tells of both ways.
const MINUTE = 60;
const FUNCTIONS = {
  OnJarUpload: 'on-jar-upload',
  OnMessage: 'on-message',
  OnSchedule: 'on-schedule',
  OnHttp: 'on-http',
  OnPage: 'on-page',
  AdvanceRun: 'advance-run',
  SweepRuns: 'sweep-runs',
};
/** Queues that functions read, with the seconds that their oldest message may have: a run message alone is delayed on purpose, by up to 15 minutes. */
const QUEUES = { JarUploads: ['jar-uploads', 300], Messages: ['messages', 300], Runs: ['runs', 1800] };
const DEAD = {
  DeadLetters: 'dead-letters',
  JarUploadsFailed: 'jar-uploads-failed',
  MessagesFailed: 'messages-failed',
  RunsFailed: 'runs-failed',
  SchedulesFailed: 'schedules-failed',
};
const NAMESPACE = 'FlinkDispatch';

module.exports = { Resources: { ...alarms(), Dashboard: dashboard() } };

function alarms() {
  return {
    ...mapEntries(DEAD, (id, name) => [`${id}Alarm`, deadMessages(name)]),
    ...mapEntries(QUEUES, (id, [name, seconds]) => [`${id}OldAlarm`, oldMessages(name, seconds)]),
    ...mapEntries(FUNCTIONS, (id, name) => [`${id}ErrorsAlarm`, errors(name)]),
    ThrottlesAlarm: throttles(),
    SweepStoppedAlarm: alarm('sweep-stopped', 'No sweep for ten minutes: nothing looks after lost runs', {
      ...metric('AWS/Lambda', 'Invocations', functionOf('sweep-runs')),
      ...over(10 * MINUTE, 1),
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    }),
    OverdueRunsAlarm: alarm(
      'overdue-runs',
      'Runs had to be taken up again by the sweep, twice in a quarter of an hour',
      {
        ...metric(NAMESPACE, 'OverdueRuns', own()),
        ...over(5 * MINUTE, 3, 2),
      },
    ),
    BadConfigurationAlarm: alarm(
      'bad-configuration',
      'The stored configuration is not good, so another is used or none',
      {
        ...metric(NAMESPACE, 'BadConfiguration', own()),
        ...over(5 * MINUTE, 1),
      },
    ),
    LeakedClustersAlarm: alarm('leaked-clusters', 'Clusters without a live run were found', {
      ...metric(NAMESPACE, 'LeakedClusters', own()),
      ...over(5 * MINUTE, 1),
    }),
    UnsweptTargetsAlarm: alarm('unswept-targets', 'A target gave the sweep no answer for a quarter of an hour', {
      ...metric(NAMESPACE, 'UnsweptTargets', own()),
      ...over(5 * MINUTE, 3),
    }),
  };
}

function deadMessages(name) {
  return alarm(name, `Messages are in ${name}`, {
    ...metric('AWS/SQS', 'ApproximateNumberOfMessagesVisible', queueOf(name)),
    ...over(MINUTE, 1),
    Statistic: 'Maximum',
  });
}

function oldMessages(name, seconds) {
  return alarm(`${name}-old`, `Messages wait in ${name} for more than ${seconds} seconds`, {
    ...metric('AWS/SQS', 'ApproximateAgeOfOldestMessage', queueOf(name)),
    ...over(MINUTE, 5),
    Statistic: 'Maximum',
    Threshold: seconds,
  });
}

function errors(name) {
  return alarm(`${name}-errors`, `${name} failed in two of three periods of five minutes`, {
    ...metric('AWS/Lambda', 'Errors', functionOf(name)),
    ...over(5 * MINUTE, 3, 2),
  });
}

function throttles() {
  const each = Object.values(FUNCTIONS).map((name, index) => ({
    Id: `m${index}`,
    ReturnData: false,
    MetricStat: { Metric: metric('AWS/Lambda', 'Throttles', functionOf(name)), Period: 5 * MINUTE, Stat: 'Sum' },
  }));
  const Expression = `SUM([${each.map(({ Id }) => Id).join(', ')}])`;
  return alarm('throttles', 'Functions are throttled: the account or their reserved concurrency has no room', {
    EvaluationPeriods: 3,
    Metrics: [{ Id: 'all', Expression, Label: 'Throttles' }, ...each],
  });
}

function alarm(name, description, properties) {
  const actions = { 'Fn::If': ['HasAlarmTopic', [{ Ref: 'AlarmTopicArn' }], { Ref: 'AWS::NoValue' }] };
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Condition: 'HasAlarms',
    Properties: {
      AlarmName: { 'Fn::Sub': `\${AWS::StackName}-${name}` },
      AlarmDescription: description,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      ...properties,
      AlarmActions: actions,
      OKActions: actions,
    },
  };
}

function metric(Namespace, MetricName, [Name, Value]) {
  return { Namespace, MetricName, Dimensions: [{ Name, Value }] };
}

function over(Period, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods) {
  return { Statistic: 'Sum', Period, EvaluationPeriods, DatapointsToAlarm };
}

function queueOf(name) {
  return ['QueueName', { 'Fn::Sub': `\${AWS::StackName}-${name}` }];
}

function functionOf(name) {
  return ['FunctionName', { 'Fn::Sub': `\${AWS::StackName}-${name}` }];
}

/** The service that the functions' own metrics name (functions/base-wiring.ts). */
function own() {
  return ['service', { 'Fn::Sub': '${AWS::StackName}' }];
}

function dashboard() {
  const name = (suffix) => `\${AWS::StackName}-${suffix}`;
  const lambda = (title, metricName, stat) =>
    widget(
      title,
      Object.values(FUNCTIONS).map((fn) => ['AWS/Lambda', metricName, 'FunctionName', name(fn)]),
      { stat },
    );
  const sqs = (title, metricName, queues) =>
    widget(
      title,
      queues.map((queue) => ['AWS/SQS', metricName, 'QueueName', name(queue)]),
      { stat: 'Maximum' },
    );
  const search = (title, expression) => widget(title, [[{ expression, id: 'e1' }]], { stat: 'Sum' });
  const ours = (title, metrics, stat) =>
    widget(
      title,
      metrics.map((one) => [NAMESPACE, one, 'service', '${AWS::StackName}']),
      { stat },
    );
  const read = Object.values(QUEUES).map(([queue]) => queue);
  const widgets = [
    search(
      'Runs that ended, by outcome and reason',
      `SEARCH('{${NAMESPACE},outcome,reason,service} MetricName="RunsEnded" service="\${AWS::StackName}"', 'Sum', 300)`,
    ),
    ours('Runs that live', ['LiveRuns'], 'Maximum'),
    ours('What the sweep found', ['OverdueRuns', 'LeakedClusters', 'UnsweptTargets', 'BadConfiguration'], 'Sum'),
    ours('Steps taken, and events that are late', ['Steps', 'FailedSteps', 'RunsAbandoned'], 'Sum'),
    sqs('Messages that wait', 'ApproximateNumberOfMessagesVisible', read),
    sqs('Age of the oldest message', 'ApproximateAgeOfOldestMessage', read),
    sqs('Dead letters', 'ApproximateNumberOfMessagesVisible', Object.values(DEAD)),
    lambda('Errors', 'Errors', 'Sum'),
    lambda('Duration, p99', 'Duration', 'p99'),
    lambda('Concurrency', 'ConcurrentExecutions', 'Maximum'),
    lambda('Throttles', 'Throttles', 'Sum'),
  ];
  const placed = widgets.map((one, index) => ({ ...one, x: (index % 3) * 8, y: Math.floor(index / 3) * 6 }));
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Condition: 'HasDashboard',
    Properties: {
      DashboardName: { 'Fn::Sub': '${AWS::StackName}' },
      DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets: placed }) },
    },
  };
}

function widget(title, metrics, properties) {
  const common = { region: '${AWS::Region}', view: 'timeSeries', period: 300 };
  return { type: 'metric', width: 8, height: 6, properties: { title, metrics, ...common, ...properties } };
}

function mapEntries(object, each) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => each(key, value)));
}
