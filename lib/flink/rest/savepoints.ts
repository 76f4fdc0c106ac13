import type { Clock, Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { SavepointOperation, SavepointRequest, Savepoints, SavepointStatus } from '../job-manager.ts';
import { OperationStatus, Triggered } from './answers.ts';
import { call, readAnswer, refusal, send } from './call.ts';
import { rootException } from './root-exception.ts';
import { restPath, type RestRequest, type RestResponse, type RestTransport } from './transport.ts';

export function createSavepoints(transport: RestTransport): Savepoints {
  return {
    async trigger(jobId, request) {
      // the field names of the two request bodies differ: SavepointTriggerRequestBody, StopWithSavepointRequestBody
      const body = { 'cancel-job': false, ...directory('target-directory', request), ...common(request) };
      return savepoint(jobId, await post(restPath('jobs', jobId, 'savepoints'), body));
    },
    async stop(jobId, request) {
      const body = { drain: request.drain, ...directory('targetDirectory', request), ...common(request) };
      return savepoint(jobId, await post(restPath('jobs', jobId, 'stop'), body));
    },
    async checkpoint(jobId, { type, triggerId }) {
      const body = { triggerId, ...defined({ checkpointType: type }) };
      return { kind: 'checkpoint', jobId, triggerId: await post(restPath('jobs', jobId, 'checkpoints'), body) };
    },
    async dispose(path) {
      return { kind: 'disposal', triggerId: await post('/savepoint-disposal', { 'savepoint-path': path }) };
    },
    status: (operation) => operationStatus(transport, operation),
  };

  async function post(path: string, body: unknown): Promise<string> {
    return (await call(transport, { method: 'POST', path, body }, Triggered))['request-id'];
  }
}

function savepoint(jobId: string, triggerId: string): SavepointOperation {
  return { kind: 'savepoint', jobId, triggerId };
}

function directory(field: string, request: SavepointRequest): Record<string, string> {
  return request.targetDirectory === undefined ? {} : { [field]: request.targetDirectory };
}

function common({ formatType, triggerId }: SavepointRequest): Record<string, string> {
  return defined({ formatType, triggerId });
}

async function operationStatus(transport: RestTransport, operation: SavepointOperation): Promise<SavepointStatus> {
  const request: RestRequest = { method: 'GET', path: pathOf(operation) };
  const response = await send(transport, request);
  if (response.status !== 200) throw unknown(operation, refusal(request, response), response);
  const answer = readAnswer(request, response.body, OperationStatus);
  if (answer.status.id !== 'COMPLETED') return { status: 'IN_PROGRESS' };
  const failure = answer.operation?.['failure-cause'];
  if (failure) return { status: 'FAILED', cause: rootException(failure['stack-trace']) };
  const location = answer.operation?.location;
  return { status: 'COMPLETED', ...(typeof location === 'string' && { location }) };
}

function pathOf(operation: SavepointOperation): string {
  switch (operation.kind) {
    case 'savepoint':
      return restPath('jobs', operation.jobId, 'savepoints', operation.triggerId);
    case 'checkpoint':
      return restPath('jobs', operation.jobId, 'checkpoints', operation.triggerId);
    case 'disposal':
      return restPath('savepoint-disposal', operation.triggerId);
  }
}

/** Flink looks an operation up by its id and never looks for the job: its 404 says nothing of that. */
function unknown(operation: SavepointOperation, refused: DispatchError, { status }: RestResponse): DispatchError {
  const isForgotten = status === 404 && (refused.reason === 'JobNotFound' || refused.reason === 'FlinkRefused');
  if (!isForgotten) return refused;
  const what = `${operation.kind} ${operation.triggerId}`;
  return new DispatchError('OperationNotFound', `the JobManager does not know the ${what}: ${refused.message}`, {
    cause: refused,
  });
}

/**
 * Waits for the end of an operation; answers the savepoint's path, empty for a disposal.
 * @throws DispatchError `FlinkRefused` when the operation failed or took longer than `timeout` milliseconds.
 */
export async function awaitSavepoint(
  savepoints: Savepoints,
  operation: SavepointOperation,
  clock: Clock,
  { timeout, interval = 500 }: { timeout: Duration; interval?: Duration },
): Promise<string> {
  const deadline = clock.now() + timeout;
  for (;;) {
    const status = await savepoints.status(operation);
    if (status.status === 'COMPLETED') return status.location ?? '';
    if (status.status === 'FAILED') {
      throw new DispatchError('FlinkRefused', `the ${operation.kind} failed: ${status.cause.message}`);
    }
    if (clock.now() >= deadline) {
      throw new DispatchError('FlinkRefused', `the ${operation.kind} did not end within ${timeout / 1000} s`);
    }
    await clock.sleep(interval);
  }
}
