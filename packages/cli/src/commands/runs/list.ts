import type { RunRow } from '../../../../../lib/run/row.ts';
import { parseFilter } from '../../../../../lib/operate/filter.ts';
import { rowView } from '../../../../../lib/operate/views.ts';
import { stringify } from 'yaml';
import { has, valueOf, type Execute } from '../../command.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { UsageError } from '../../flags/usage.ts';
import { openLedger } from '../../ledger.ts';
import { harmless, printJson, seconds, table, type Io } from '../../terminal/io.ts';

const FORMATS = ['wide', 'json', 'yaml', 'name'] as const;
type Format = (typeof FORMATS)[number];
/** Between two looks of --watch. */
const WATCH_EVERY = 2_000;

/** Runs of a ledger, the newest first, by what is asked for. Reads no record. */
export const list: Execute = async (io, parsed) => {
  const wish = wishOf(parsed, io);
  const format = formatOf(parsed);
  const ledger = await openLedger(io, parsed);
  const rows = await ledger.rows(wish);
  if (rows.length === 0 && !has(parsed, 'watch') && format !== 'json') io.err('no such runs\n');
  else print(io, rows, format);
  if (has(parsed, 'watch')) await watch();
  return 0;

  /** A line for each run that is new, or is not what it was. */
  async function watch(): Promise<void> {
    let known = new Map(rows.map((row) => [row.runId, JSON.stringify(row)]));
    for (;;) {
      await io.clock.sleep(WATCH_EVERY);
      if (io.interrupted.aborted) return;
      const next = await ledger.rows(wish);
      const changed = next.filter((row) => known.get(row.runId) !== JSON.stringify(row));
      if (changed.length > 0) print(io, changed, format, false);
      known = new Map(next.map((row) => [row.runId, JSON.stringify(row)]));
    }
  }
};

function wishOf(parsed: ParsedFlags, { clock }: Io): ReturnType<typeof parseFilter> {
  const text = (name: string): string | undefined => valueOf(parsed, name);
  const all = has(parsed, 'all') ? { limit: '100000' } : {};
  const state = text('state') ?? (has(parsed, 'live') ? 'live' : undefined);
  const [reason, name, tenant, trigger] = [text('reason'), text('name'), text('tenant'), text('trigger')];
  const [since, limit, tag] = [text('since'), text('limit'), text('tag')];
  return parseFilter({ state, reason, name, tenant, trigger, tag, since, limit, ...all }, clock.now());
}

function formatOf(parsed: ParsedFlags): Format | undefined {
  if (has(parsed, 'json')) return 'json';
  const given = valueOf(parsed, 'output');
  const format = FORMATS.find((one) => one === given);
  if (given === undefined || format !== undefined) return format;
  throw new UsageError(`--output ${given}: must be one of ${FORMATS.join(', ')}`);
}

function print(io: Io, rows: readonly RunRow[], format: Format | undefined, heading = true): void {
  switch (format) {
    case 'json':
      return printJson(io, rows.map(rowView));
    case 'yaml':
      return io.out(harmless(stringify(rows.map(rowView))));
    case 'name':
      return io.out(rows.map(({ runId }) => `${runId}\n`).join(''));
    case 'wide':
    case undefined: {
      const head = ['RUN', 'NAME', 'STATE', 'REASON', 'ACCEPTED', ...(format === 'wide' ? WIDE : [])];
      const cells = rows.map((row) => cellsOf(row, format === 'wide'));
      const text = table([head, ...cells]);
      return io.out(harmless(heading ? text : text.slice(text.indexOf('\n') + 1)));
    }
  }
}

const WIDE = ['TRIGGER', 'TENANT', 'ATTEMPTS', 'TOOK'];

function cellsOf({ acceptedAt, endedAt, ...row }: RunRow, wide: boolean): string[] {
  const basic = [row.runId, row.name, row.state, row.reason ?? '-', new Date(acceptedAt).toISOString()];
  if (!wide) return basic;
  const took = endedAt === undefined ? '-' : seconds(endedAt - acceptedAt);
  return [...basic, row.trigger, row.tenant ?? '-', String(row.attempts), took];
}
