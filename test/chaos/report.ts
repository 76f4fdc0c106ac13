import type { ChaosReport } from './chaos.ts';

/** For people. */
export function table(report: ChaosReport): string {
  const { counts, outcomes } = report;
  const by = (all: Readonly<Record<string, number>>): string =>
    Object.entries(all)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ') || 'none';
  const rows: readonly (readonly [string, string])[] = [
    ['runs', `${report.runs} of ${report.requests} deliveries, ${report.attempts} attempts`],
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
    ...report.spoilt.map((text) => `spoilt  ${text}`),
    ...report.violations.map((text) => `✗ ${text}`),
    ...report.leftOver.map((text) => `left  ${text}`),
  ];
  return [...lines, ...told].join('\n');
}

/** For programs. */
export function jsonLine(report: ChaosReport, seed: number): string {
  const { counts, violations, leftOver, spoilt, ...rest } = report;
  const numbers = { violations: violations.length, leftOver: leftOver.length, spoilt: spoilt.length };
  return JSON.stringify({ chaos: 'functions', seed, ...rest, ...counts, ...numbers });
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0);
}
