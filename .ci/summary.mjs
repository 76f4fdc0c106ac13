#!/usr/bin/env node
// Prints of a JSON report of vitest: one line `PASSED FAILED`, then each test that failed with the first line of its error.
import console from 'node:console';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const report = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
console.log(report.numPassedTests, report.numFailedTests);
for (const { name, assertionResults, message } of report.testResults) {
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  for (const { fullName, failureMessages } of failed) console.log(`  ${fullName}: ${firstLine(failureMessages[0])}`);
  // A file whose hook or import failed has no failed test.
  if (failed.length === 0 && message) console.log(`  ${name.split('/test/').at(-1)}: ${firstLine(message)}`);
}

function firstLine(text = '') {
  return text.split('\n')[0]?.slice(0, 300);
}
