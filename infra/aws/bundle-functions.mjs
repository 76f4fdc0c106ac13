// A plugin of osls: bundles every function, and makes its zip of the bundle and the deployment's configuration.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { bundleFunction } from '../bundling.mjs';
import { zip } from './zip.mjs';

export default class BundleFunctions {
  constructor({ serviceDir, service }) {
    // osls takes these zips as they are
    this.hooks = {
      'before:package:createDeploymentArtifacts': async () => {
        const folder = join(serviceDir, '.serverless');
        mkdirSync(folder, { recursive: true });
        const common = filesBesides(service.custom.functionFiles, serviceDir);
        for (const name of service.getAllFunctions()) {
          const definition = service.getFunction(name);
          const artifact = join(folder, `${name}.zip`);
          writeFileSync(artifact, zip([...(await bundleFunction(definition.handler)), ...common]));
          definition.package = { ...definition.package, artifact };
        }
      },
    };
  }
}

/** A function reads an absolute path where it stands: that is for stacks of this machine. */
function filesBesides(names, serviceDir) {
  return [...new Set(names)]
    .filter((name) => !isAbsolute(name))
    .map((name) => ({ name, contents: readFileSync(join(serviceDir, name)) }));
}
