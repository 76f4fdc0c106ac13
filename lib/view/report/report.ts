import { createHash } from 'node:crypto';
import type { RunRecord } from '../../run/record.ts';
import { viewRun, type AttemptView, type CauseView, type RunView } from '../run-view.ts';
import { markOf, span } from '../words.ts';
import { barsOf, utc } from './bars.ts';
import { markup, Markup, type Part } from './markup.ts';
import { STYLE } from './style.ts';

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
/** Nothing is fetched, run or sent, whatever a text in it might be taken for. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

/**
 * All that is known of a run that has ended, as one file of HTML that needs neither a network nor a script. The same record
 * has the same report.
 */
export function reportOf(record: RunRecord, ledger: string): string {
  const view = viewRun(record, ledger);
  const { row, cause, attempts, steps, events, orders } = view;
  const commands = [...view.commands, ...orders.map(({ command }) => command)];
  const now = row.endedAt ?? record.updatedAt;
  const name = view.record.name === '' ? '(no name)' : view.record.name;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${name}: ${row.state}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<h1>${name} <code class="quiet">${row.runId}</code></h1>
<p>${stateMark(row.state)} accepted ${utc(row.acceptedAt)} from a ${row.trigger}, took ${span(now - row.acceptedAt)}${
    row.tenant !== undefined && markup`, of the tenant ${row.tenant}`
  }.</p>
${cause && section('Cause', causePart(cause))}
${section('Timeline', barsOf(steps.filter(isBefore(now)), now))}
${attempts.length > 0 && section('Attempts', attempts.map(attemptPart))}
${section('Job', jobPart(view))}
${section('Events', events.map(eventPart))}
${section('Go on', markup`<pre>${commands.join('\n')}</pre>`)}
</main>
</body>
</html>
`.text;
}

/** What comes after the end is not known yet. */
function isBefore(now: number): (step: RunView['steps'][number]) => boolean {
  return ({ from }) => from < now;
}

function section(name: string, content: Part): Markup {
  return markup`<section>
<h2>${name}</h2>
${content}
</section>`;
}

function stateMark(state: string): Markup {
  return markup`<span class="state ${state}"><span aria-hidden="true">${markOf(state)}</span> ${state}</span>`;
}

function folded(name: string, text: string | undefined): Markup | undefined {
  if (text === undefined) return undefined;
  return markup`<details><summary>${name}</summary>
<pre>${text}</pre></details>`;
}

function causePart(cause: CauseView): Markup {
  const { state, reason, reasonClass, message, todo, at, field, rule, ruleText, rootException, stackTrace } = cause;
  return markup`<div class="cause">
<p>${stateMark(state)} <strong>${reason}</strong> <span class="quiet">(${reasonClass})</span> ${utc(at)}</p>
<p>${message}</p>
${field !== undefined && markup`<p>Field <code>${field}</code></p>`}
<p>${todo}</p>
${rootException !== undefined && markup`<pre>${rootException}</pre>`}
${folded('Stack trace', stackTrace)}
${cause.evidence.length > 0 && markup`<ul>${cause.evidence.map(evidencePart)}</ul>`}
${rule !== undefined && markup`<p class="quiet">Decided by the rule <code>${rule}</code>${ruleText !== undefined && `: ${ruleText}`}.</p>`}
</div>`;
}

function evidencePart({ text, file }: CauseView['evidence'][number]): Markup {
  return markup`<li>${text}${file !== undefined && markup` ${fileLink(file.attempt, file.name, file.name)}`}</li>
`;
}

/** Beside the report in the ledger: it leads somewhere in a copy of the run's folder. */
function fileLink(attempt: number, name: string, text: string): Markup {
  return markup`<a href="evidence/${attempt}/${name.split('/').map(encodeURIComponent).join('/')}">${text}</a>`;
}

function attemptPart(attempt: AttemptView): Markup {
  const { number, clusterId, jobId, runtime, restoredFrom, snapshot, cause, artifacts } = attempt;
  return markup`<h3>Attempt ${number}</h3>
${facts([
  ['Cluster', clusterId],
  ['Job', jobId],
  ['Flink ran it as', runtime],
  ['Started from', restoredFrom],
  ['Left behind', snapshot],
])}
${cause && markup`<p>${stateMark(cause.state)} ${cause.reason}: ${cause.message}</p>`}
${artifacts.length > 0 && markup`<p>Kept: ${artifacts.map(({ name }) => markup`${fileLink(number, name, name)} `)}</p>`}
`;
}

function jobPart({ job, record }: RunView): Part {
  const asked = folded('As it was asked for, without secrets', json(record.asked?.spec));
  if (job === undefined) return [markup`<p>It was rejected before its job could be read.</p>`, asked];
  const { target, namespace, mode, flinkVersion, image, jar, sha256, args, notes } = job;
  return [
    facts([
      ['Target', `${target}, namespace ${namespace}`],
      ['Mode', `${mode}, Flink ${flinkVersion}`],
      ['Image', image],
      ['Jar', jar],
      ['SHA-256', sha256],
      ['Arguments', args.length === 0 ? undefined : JSON.stringify(args)],
    ]),
    notes.map((note) => markup`<p>Note: ${note}</p>`),
    asked,
    folded("Flink's options, without secrets", json(record.job?.options)),
  ];
}

function eventPart(event: RunView['events'][number]): Markup | undefined {
  return folded(`${event.data.sequence}. ${event.data.state} ${utc(Date.parse(event.time))}`, json(event));
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, null, 2);
}

function facts(of: readonly (readonly [string, string | undefined])[]): Markup {
  const known = of.flatMap(([name, value]) =>
    value === undefined ? [] : [markup`<div><dt>${name}</dt><dd>${value}</dd></div>`],
  );
  return markup`<dl>${known}</dl>`;
}
