// Installs the server of the AWS protocols, for tests that run where nothing can be fetched: node --import tsx install.ts
import { silent } from '../progress.ts';
import { installMinistack } from './ministack.ts';

await installMinistack({ python: 'python3', progress: silent });
