import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { podModels } from './models.ts';

// Writes lib/job/spec/pod-fields.json from the models of the Kubernetes client: npm run record:pod-fields

const TARGET = fileURLToPath(new URL('../../lib/job/spec/pod-fields.json', import.meta.url));
const options = await resolveConfig(TARGET);
writeFileSync(TARGET, await format(JSON.stringify(podModels()), { ...options, filepath: TARGET }));
