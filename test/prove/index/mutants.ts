import type { Mutant, TestedMutant } from '../mutants.ts';

const INDEX = 'lib/run/store/s3-run-index.ts';

/** What keeps a run from being missing in every list. */
export const INDEX_MUTANTS: readonly Mutant[] = [
  {
    name: 'the row of a closed run is in the index before its marker goes',
    file: 'lib/run/store/s3-ledger.ts',
    guard: '  await keepRow(bucket, record);\n',
    without: '',
  },
  {
    name: 'a report is there before the event that links it',
    file: 'lib/dispatch/announce.ts',
    guard: '    await evidence.putReport(record.runId, reportOf(kept));\n',
    without: '',
  },
  {
    name: 'whether a report is kept is on record before the end is told',
    file: 'lib/dispatch/advance.ts',
    guard: 'if (isWithoutReport(record)) return continueNow(await keepReport(record, deps));',
    without: 'if (isWithoutReport(record)) record = await keepReport(record, deps);',
  },
  {
    name: 'a report that cannot be kept is not linked',
    file: 'lib/dispatch/announce.ts',
    guard: "    return { ...record, report: 'lost' };",
    without: '    return kept;',
  },
  {
    name: 'a sweep keeps the row of a closed run before it takes the marker away',
    file: 'lib/dispatch/sweep/sweep-rows.ts',
    guard: 'if (record !== undefined) await deps.index.keep(record);\n',
    without: '',
  },
  {
    name: 'a sheet keeps the rows that it had',
    file: INDEX,
    guard: '[...lines, ...moved.map(',
    without: '[...moved.map(',
  },
  {
    name: 'rows that were left without a marker are taken away',
    file: 'lib/run/store/s3-live-runs.ts',
    guard: '      await removeRows(bucket, place, rows);\n    },\n    async mend',
    without: '    },\n    async mend',
  },
];

/** It takes two sweepers at a time. */
export const INDEX_TESTED: readonly TestedMutant[] = [
  {
    name: 'rows are taken away once a sheet has them',
    file: INDEX,
    guard: 'if (written === undefined) return 0;',
    without: '',
    test: 'test/run/store/s3-run-index.test.ts',
  },
];
