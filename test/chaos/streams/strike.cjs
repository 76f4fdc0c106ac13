// Loaded into a function's process: kills it with SIGKILL before a request that changes something leaves, or when its answer
// has come and nobody has acted upon it. Once each for every kind of request, phase and set; the file that says so outlives it.
const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const { join } = require('node:path');
const process = require('node:process');

const ANSWER = 'answer';
const folder = process.env.CHAOS_STRIKES;
const end = http.ClientRequest.prototype.end;

http.ClientRequest.prototype.end = function (...args) {
  const kind = kindOf(this, typeof args[0] === 'function' ? undefined : args[0]);
  if (kind !== undefined) {
    strike('before', kind);
    // An invocation that was answered is over.
    if (kind !== ANSWER) this.prependOnceListener('response', () => strike('after', kind));
  }
  return end.apply(this, args);
};

function strike(phase, kind) {
  const aim = aimOf();
  if (aim === undefined) return;
  const name = join(folder, aim.set, encodeURIComponent(`${phase} ${kind}`));
  writeFileSync(`${name}.seen`, '');
  if (shareOf(aim.set + phase + kind) >= aim.part) return;
  try {
    writeFileSync(`${name}.struck`, '', { flag: 'wx' });
  } catch {
    return;
  }
  writeFileSync(join(folder, `struck-${process.pid}`), `${phase} ${kind}`);
  process.kill(process.pid, 'SIGKILL');
}

/** What the harness has said of this invocation. */
function aimOf() {
  try {
    return JSON.parse(readFileSync(join(folder, `aim-${process.pid}`), 'utf8'));
  } catch {
    return undefined;
  }
}

function shareOf(text) {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

/** The same for the same effect of any run; undefined where nothing is changed. */
function kindOf(request, body) {
  const { method, path } = request;
  const target = request.getHeader('x-amz-target');
  if (method === 'GET' || method === 'HEAD' || path.includes('/selfsubject')) return undefined;
  if (path.startsWith('/2018-06-01/runtime')) return path.endsWith('/response') ? ANSWER : undefined;
  const place = path.split('?')[0].split('/').map(withoutIds).join('/');
  return [method, target ?? place, about(target, body)].filter((part) => part !== '').join(' ');
}

function withoutIds(part) {
  return /[0-9a-f]{6}|\d{3}/.test(part) ? '*' : part;
}

/** How far what is written has come, or what is sent. */
function about(target, body) {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return '';
  try {
    const { MessageBody, Entries, ...written } = JSON.parse(Buffer.from(body).toString());
    if (target !== undefined) return MessageBody ? Object.keys(JSON.parse(MessageBody)).join() : typesOf(Entries);
    const parts = ['stopRequested', 'cancelRequested', 'outcome', 'request', 'leaving', 'next', 'run'];
    const { state = '', run } = written;
    const there = parts.filter((part) => written[part] !== undefined);
    return [state, ...there, ...(run?.stop === undefined ? [] : ['stop'])].join(' ').trim();
  } catch {
    return '';
  }
}

function typesOf(entries) {
  return (entries ?? []).map(({ DetailType = '' }) => DetailType).join();
}
