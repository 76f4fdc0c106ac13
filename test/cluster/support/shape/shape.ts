import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { javaTool } from '../../../../infra/local/flink/tools.ts';
import { apiPath, type KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { must } from '../../../contract/support/kubernetes.ts';
import { FLINK_VERSIONS, LAB } from '../lab.ts';

const execute = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'Shape.java');

/** Where pods of the template have the jar. */
export const SHAPE_JAR = 'local:///shape/shape.jar';
/** A pod template with the jar of the ConfigMap `shape`. */
export const SHAPE_TEMPLATE_FILE = join(import.meta.dirname, 'shape-template.yaml');
export const SHAPE_TEMPLATE = parse(readFileSync(SHAPE_TEMPLATE_FILE, 'utf8')) as object;

/** Makes the ConfigMap `shape` of a namespace, with the jar for all versions of the lab. */
export async function createShapeMap(api: KubernetesApi, namespace: string): Promise<void> {
  const [version = ''] = FLINK_VERSIONS.filter((it) => it.startsWith('1.')).concat(FLINK_VERSIONS);
  const jar = await buildShape(join(LAB, 'flink', version));
  const path = apiPath('api', 'v1', 'namespaces', namespace, 'configmaps');
  const body = { metadata: { name: 'shape' }, binaryData: { 'shape.jar': jar.toString('base64') } };
  await must(api, { method: 'POST', path, body });
}

/** The jar of Shape.java, compiled against the distribution at `flinkHome`; it runs on every version from there on. */
export async function buildShape(flinkHome: string): Promise<Buffer> {
  const work = await mkdtemp(join(tmpdir(), 'shape-'));
  try {
    const lib = join(flinkHome, 'lib');
    const jars = (await readdir(lib)).filter((name) => name.endsWith('.jar')).map((name) => join(lib, name));
    const classes = join(work, 'classes');
    const javac = ['--release', '11', '-nowarn', '-classpath', jars.join(':'), '-d', classes, SOURCE];
    await execute(javaTool('javac'), javac);
    const jar = join(work, 'shape.jar');
    await execute(javaTool('jar'), ['--create', '--file', jar, '--main-class', 'Shape', '-C', classes, '.']);
    return await readFile(jar);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
