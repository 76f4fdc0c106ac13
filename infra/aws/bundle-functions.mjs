// A plugin of osls: bundles every function, and makes its zip.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFunction } from '../bundling.mjs';
import { zip } from './zip.mjs';

export default class BundleFunctions {
  constructor({ serviceDir, service }) {
    // osls takes these zips as they are
    this.hooks = {
      'before:package:createDeploymentArtifacts': async () => {
        const folder = join(serviceDir, '.serverless');
        mkdirSync(folder, { recursive: true });
        for (const name of service.getAllFunctions()) {
          const definition = service.getFunction(name);
          const artifact = join(folder, `${name}.zip`);
          writeFileSync(artifact, zip(await bundleFunction(definition.handler)));
          definition.package = { ...definition.package, artifact };
        }
      },
    };
  }
}
