import { checkTools } from '../../infra/local/flink/tools.ts';

const { missing } = await checkTools();

/** What these tests need and this machine lacks; empty when they can run. */
export const lacking = missing.map(({ name }) => name).join(', ');

if (lacking !== '' && process.env['CI'] !== undefined) throw new Error(`the Airflow provider needs ${lacking}`);
if (lacking !== '') {
  const how = missing.map(({ todo }) => todo).join('; ');
  process.stderr.write(
    `SKIPPED: the Airflow provider is not tested: it needs ${lacking}. ${how}; npm run test:airflow\n`,
  );
}
