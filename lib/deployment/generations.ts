import type { Instant } from '../core/clock.ts';
import { deploymentIdFor, sha256Hex } from '../core/ids.ts';
import { canonicalJson } from '../core/json.ts';
import { omit } from '../core/omit.ts';
import { defined } from '../core/defined.ts';
import { scaleOf, scalesInPlace, withoutScale } from '../job/scale.ts';
import { isOlder } from '../trigger/s3-event.ts';
import { addEvent } from './events.ts';
import { foretell } from './foretell.ts';
import { generationOf, type DeploymentRecord, type DeploymentRequest, type Generation } from './record.ts';
import { following, scaledText } from './scale/scaled-job.ts';

/** Beside those that something refers to. */
const KEPT = 20;
/** Of those that a load asked for. */
const KEPT_OF_LOADS = 3;

export type Applied =
  /** The record with the request as its newest generation, which is wanted unless it is superseded already. */
  | { readonly kind: 'changed'; readonly record: DeploymentRecord; readonly generation: Generation }
  /** The request is in the record, or was and has given way to newer ones. */
  | { readonly kind: 'known'; readonly generation?: Generation };

/**
 * Makes a request the newest generation of its deployment. `seenBefore`: its object was there already, so it may have
 * been a generation long ago. An upload that is older than the newest one of its key never takes its place.
 */
export function applyRequest(
  record: DeploymentRecord | undefined,
  request: DeploymentRequest,
  now: Instant,
  seenBefore: boolean,
): Applied {
  if (record === undefined) return first(request, now);
  const known = record.generations.find(({ requestId }) => requestId === request.requestId);
  if (known !== undefined) return { kind: 'known', generation: known };
  const wanted = generationOf(record, record.wanted);
  const late = seenBefore && isLate(record, wanted, request);
  if (late && record.generations[0]?.number !== 1) return { kind: 'known' };
  const number = nextNumber(record);
  const superseded = late || isOlderUpload(record, request);
  const sent = { ...following(generationFor(request, number), request, wanted), ...(superseded && { superseded }) };
  const rejection = superseded ? undefined : rejectionOf(record, sent, request, wanted);
  const generation = rejection === undefined || wanted === undefined ? sent : insteadOf(sent, wanted);
  const added = accept(record, generation, rejection, now);
  const changed = superseded ? passOver(added, generation, request, now) : want(added, generation, request, now);
  return { kind: 'changed', record: bounded(changed), generation };
}

function accept(
  record: DeploymentRecord,
  generation: Generation,
  rejection: Rejected | undefined,
  now: Instant,
): DeploymentRecord {
  const { number, superseded } = generation;
  const message = superseded === true ? undefined : foretell(record, generation);
  const added = { ...record, generations: [...record.generations, generation] };
  const told = addEvent(added, 'accepted', now, { generation: number, ...defined({ message }) });
  return rejection === undefined ? told : tellRejected(told, number, rejection, now);
}

type Rejected = Generation & { readonly rejected: NonNullable<Generation['rejected']> };

/** A generation of the same program that was rolled back, unless somebody asks for it all the same. */
function rejectionOf(
  record: DeploymentRecord,
  sent: Generation,
  request: DeploymentRequest,
  wanted: Generation | undefined,
): Rejected | undefined {
  if (request.sameJob !== undefined || wanted?.wish.state === 'deleted') return undefined;
  const { restart, savepointRedeploy } = sent.wish.nonces;
  return record.generations.filter(isRejected).findLast(({ program, wish: { nonces } }) => {
    const isAskedFor = nonces.restart !== restart || nonces.savepointRedeploy !== savepointRedeploy;
    return program === sent.program && !isAskedFor;
  });
}

function isRejected(generation: Generation): generation is Rejected {
  return generation.rejected !== undefined;
}

/** What else is wanted of the deployment holds, with the job that it has. */
function insteadOf(sent: Generation, wanted: Generation): Generation {
  const { job, plan, flinkVersion, jobIn, requestId, scale } = wanted;
  return { ...omit(sent, 'scale'), job, plan, flinkVersion, jobIn: jobIn ?? requestId, ...defined({ scale }) };
}

function tellRejected(record: DeploymentRecord, generation: number, same: Rejected, now: Instant): DeploymentRecord {
  const { reason, message } = same.rejected;
  const text = `It is the program of generation ${same.number}, which was rolled back: ${message}`;
  const choices = afterRejection(record, same.number);
  return addEvent(record, 'rejected', now, { generation, reason, message: text, choices });
}

/** What can be done about a generation that was rolled back. */
export function afterRejection({ name }: DeploymentRecord, number: number): readonly string[] {
  const order = `flink-dispatch deployments upgrade ${name} --to ${number}`;
  return ['a corrected job', `another restartNonce, or ${order}, to try it again`];
}

/** A program that has shown what it can do is not refused any more for what it could not before. */
export function accepting(record: DeploymentRecord, number: number): DeploymentRecord {
  const program = generationOf(record, number)?.program;
  const generations = record.generations.map((one) => (one.program === program ? omit(one, 'rejected') : one));
  return { ...record, generations };
}

/** With that generation, and all of the same job, marked as not to be tried again. */
export function rejecting(
  record: DeploymentRecord,
  number: number,
  rejected: NonNullable<Generation['rejected']>,
): DeploymentRecord {
  const job = generationOf(record, number)?.job;
  const generations = record.generations.map((one) => (one.job === job ? { ...one, rejected } : one));
  return { ...record, generations };
}

function want(
  record: DeploymentRecord,
  generation: Generation,
  request: DeploymentRequest,
  now: Instant,
): DeploymentRecord {
  const { rejects, by } = request;
  const why = { at: now, reason: 'NotStable', message: `It was rolled back by ${by}` } as const;
  const asked = rejects === undefined ? record : rejecting(record, rejects, why);
  const given = giveWay(asked, generation.number, now);
  const upload = uploadOf(request);
  return { ...given, wanted: generation.number, dueAt: now, ...defined({ upload: upload ?? record.upload }) };
}

/** It comes too late to be wanted; as an upload it is still the newest, where it is. */
function passOver(
  record: DeploymentRecord,
  { number }: Generation,
  request: DeploymentRequest,
  now: Instant,
): DeploymentRecord {
  const upload = uploadOf(request);
  const { upload: newest } = record;
  const isOfKey = newest === undefined || (upload?.bucket === newest.bucket && upload.key === newest.key);
  const isNewest = isOfKey && !isOlderUpload(record, request);
  const message = 'A newer one is wanted already';
  const told = addEvent(record, 'superseded', now, { generation: number, message });
  // Its message may be lost, and with it what is to be told.
  return { ...told, dueAt: now, ...defined({ upload: isNewest ? upload : newest }) };
}

/** What was wanted and never came true is told so. */
function giveWay(record: DeploymentRecord, next: number, now: Instant): DeploymentRecord {
  const { wanted, reached, run } = record;
  if (wanted === reached || wanted === run?.generation) return record;
  const generations = record.generations.map((one) => (one.number === wanted ? { ...one, superseded: true } : one));
  const message = `Generation ${next} is wanted instead`;
  return addEvent({ ...record, generations }, 'superseded', now, { generation: wanted, message });
}

export function nextNumber({ generations }: DeploymentRecord): number {
  return (generations.at(-1)?.number ?? 0) + 1;
}

function first(request: DeploymentRequest, now: Instant): Applied {
  const { job, tenant } = request;
  const generation = generationFor(request, 1);
  const { target, namespace, name } = job;
  const record: DeploymentRecord = {
    version: 1,
    id: deploymentIdFor({ tenant, target, namespace, name }),
    ...defined({ tenant }),
    ...{ target, namespace, name },
    state: 'starting',
    createdAt: now,
    updatedAt: now,
    generations: [generation],
    wanted: 1,
    reached: 0,
    ...defined({ upload: uploadOf(request) }),
    runs: 0,
    // Numbers that were there from the beginning ask for nothing.
    done: request.wish.nonces,
    snapshots: [],
    snapshotOrdinal: 0,
    requests: 0,
    leftovers: [],
    events: [],
    sequence: 0,
    dueAt: now,
    jarKeptAt: now,
  };
  return { kind: 'changed', record: addEvent(record, 'accepted', now), generation };
}

function generationFor(request: DeploymentRequest, number: number): Generation {
  const { requestId, job, wish, at, by, rejects } = request;
  const { state: plan, notify, flinkVersion } = job;
  return {
    ...{ number, requestId, job: jobText(request), program: programText(request), flinkVersion },
    ...{ wish, plan, notify, at, by },
    ...defined({ scale: generationScale(request), rollbackOf: rejects }),
  };
}

/** Of the job and the bytes of its jar, whoever sent it and whenever. */
function programText({ job }: DeploymentRequest): string {
  const { pinned } = job.jar;
  const jar = pinned === undefined ? job.jar : { sha256: pinned.sha256 };
  return sha256Hex(canonicalJson({ ...omit(job, 'notify', 'notes'), jar }));
}

/**
 * Of all that only another run can bring about. An upload is a wish for another run, although its bytes may be the same
 * as before; how state is kept, and who is told, is none.
 */
function jobText(request: DeploymentRequest): string {
  return request.sameJob ?? scaledText(unscaledText(request), scaleOf(request.job.options));
}

/** Without its parallelism, which may be changed while it runs. */
function unscaledText({ job, source, requestId }: DeploymentRequest): string {
  const upload = source.kind === 'jar-upload' ? requestId : undefined;
  const unscaled = { ...omit(job, 'state', 'notify', 'notes'), options: withoutScale(job.options) };
  return sha256Hex(canonicalJson({ job: unscaled, ...defined({ upload }) }));
}

/** Of an order about a job of before there were any: none. */
function generationScale(request: DeploymentRequest): Generation['scale'] {
  const { job, sameJob, unscaled } = request;
  const of = sameJob === undefined ? unscaledText(request) : unscaled;
  return of === undefined ? undefined : { ...scaleOf(job.options), of, inPlace: scalesInPlace(job) };
}

/** An order is about an upload, and none itself. */
function uploadOf({ source, sameJob }: DeploymentRequest): DeploymentRecord['upload'] {
  if (sameJob !== undefined || source.kind !== 'jar-upload' || source.sequencer === undefined) return undefined;
  const { bucket, key, sequencer } = source;
  return { bucket, key, sequencer };
}

/** Of two uploads of one key the later one is wanted, whichever was accepted first. */
function isLate(record: DeploymentRecord, wanted: Generation | undefined, request: DeploymentRequest): boolean {
  if (wanted === undefined || request.at >= wanted.at) return false;
  const isOfItsKey = uploadOf(request) !== undefined && wanted.by === request.by;
  return !isOfItsKey || isOlderUpload(record, request);
}

function isOlderUpload({ upload: newest }: DeploymentRecord, request: DeploymentRequest): boolean {
  const ours = uploadOf(request);
  if (newest === undefined || ours?.bucket !== newest.bucket || ours.key !== newest.key) return false;
  return isOlder(ours.sequencer, newest.sequencer);
}

/** What something refers to is kept, and the newest. */
export function bounded(record: DeploymentRecord): DeploymentRecord {
  const { generations, wanted, reached, run, next, last, stable } = record;
  const needed = [wanted, reached, run?.generation, next?.generation, last?.generation, stable?.generation];
  const isNeeded = ({ number }: Generation): boolean => needed.includes(number);
  // A load makes many: they push nobody's out.
  const loads = generations.filter(({ autoscaledAt }) => autoscaledAt !== undefined).slice(0, -KEPT_OF_LOADS);
  const rest = generations.filter((one) => isNeeded(one) || !loads.includes(one));
  const drop = rest.length - KEPT;
  return { ...record, generations: rest.filter((one, index) => index >= drop || isNeeded(one)) };
}
