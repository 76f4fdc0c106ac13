import type { ChaosReport } from './chaos.ts';
import type { Coverage } from './streams/strikes.ts';

/** For people. */
export function table(report: ChaosReport): string {
  const { counts, outcomes } = report;
  const by = (all: Readonly<Record<string, number>>): string =>
    Object.entries(all)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ') || 'none';
  const rows: readonly (readonly [string, string])[] = [
    ['runs', `${report.runs} of ${report.requests} deliveries, ${report.attempts} attempts`],
    ['upgrades of streams', String(report.upgrades)],
    ['killed around an effect', `${report.struck}${report.coverage.map(covered).join('')}`],
    ['functions killed', `${total(counts.killed)} of ${counts.invocations} invocations: ${by(counts.killed)}`],
    ['functions frozen', by(counts.frozen)],
    ['servers restarted', by(counts.restarted)],
    ['messages delivered twice', String(counts.duplicates)],
    ['letters given back', String(report.redriven)],
    ['Deployments', `${report.deployments} made, ${report.takenBack} taken back before they began`],
    ['events', String(report.deliveries)],
    ['outcomes', by(outcomes)],
    ['spoilt by the faults', String(report.spoilt.length)],
    ['violations', String(report.violations.length)],
    ['left over', String(report.leftOver.length)],
    ['seconds', String(report.seconds)],
  ];
  const lines = rows.map(([name, text]) => `${name.padEnd(26)}${text}`);
  const told = [
    ...report.coverage.flatMap(({ set, spared }) => spared.map((effect) => `spared  ${set}: ${effect}`)),
    ...report.spoilt.map((text) => `spoilt  ${text}`),
    ...report.violations.map((text) => `✗ ${text}`),
    ...report.leftOver.map((text) => `left  ${text}`),
  ];
  return [...lines, ...told].join('\n');
}

function covered({ set, kinds, before, after }: Coverage): string {
  return `; ${set}: of ${kinds} effects ${before} before, ${after} after`;
}

/** For programs. */
export function jsonLine(report: ChaosReport, seed: number): string {
  const { counts, violations, leftOver, spoilt, coverage, ...rest } = report;
  const numbers = { violations: violations.length, leftOver: leftOver.length, spoilt: spoilt.length };
  const effects = coverage.map(({ spared, ...one }) => ({ ...one, spared: spared.length }));
  return JSON.stringify({ chaos: 'functions', seed, ...rest, ...counts, ...numbers, effects });
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0);
}
