import { apiVersionOf, RESOURCES, type Resource } from '../resources.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const REVIEWS = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
};

function groups(): string[] {
  return [
    ...new Set([
      ...RESOURCES.filter(({ group }) => group !== '').map(apiVersionOf),
      `${REVIEWS.group}/${REVIEWS.version}`,
    ]),
  ];
}

function group(apiVersion: string): object {
  const [name = '', version = ''] = apiVersion.split('/');
  const preferred = { groupVersion: apiVersion, version };
  return { name, versions: [preferred], preferredVersion: preferred };
}

function entries(resource: Resource): object[] {
  const { plural, singular, namespaced, kind, shortNames, subresources } = resource;
  const own = { name: plural, singularName: singular, namespaced, kind, verbs: VERBS, shortNames };
  const subs = subresources.map((sub) => ({
    name: `${plural}/${sub}`,
    singularName: '',
    namespaced,
    kind: sub === 'scale' ? 'Scale' : kind,
    verbs: sub === 'status' || sub === 'scale' ? ['get', 'patch', 'update'] : ['get', 'create'],
    ...(sub === 'scale' ? { group: 'autoscaling', version: 'v1' } : {}),
  }));
  return [own, ...subs];
}

function resourceList(groupVersion: string): object | undefined {
  const own = RESOURCES.filter((resource) => apiVersionOf(resource) === groupVersion).flatMap(entries);
  const reviews =
    groupVersion === `${REVIEWS.group}/${REVIEWS.version}`
      ? [
          {
            name: REVIEWS.plural,
            singularName: 'selfsubjectaccessreview',
            namespaced: false,
            kind: REVIEWS.kind,
            verbs: ['create'],
          },
        ]
      : [];
  const resources = [...own, ...reviews];
  return resources.length === 0 ? undefined : { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

/** OpenAPI v3 documents with just enough for kubectl to see that fields are checked here, not by it. */
function openApi(path: string): object | undefined {
  const all = ['v1', ...groups()];
  const place = (version: string): string => (version === 'v1' ? 'api/v1' : `apis/${version}`);
  if (path === '') {
    const paths = all.map((version) => [place(version), { serverRelativeURL: `/openapi/v3/${place(version)}` }]);
    return { paths: Object.fromEntries(paths) as object };
  }
  const version = all.find((candidate) => place(candidate) === path);
  if (version === undefined) return undefined;
  const parameters = ['dryRun', 'fieldValidation', 'fieldManager', 'force'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string' },
  }));
  const paths = RESOURCES.filter((resource) => apiVersionOf(resource) === version).map((resource) => {
    const { group, version, kind, plural, namespaced } = resource;
    const patch = {
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group, version, kind },
      parameters,
      responses: {},
    };
    return [`/${path}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}/{name}`, { patch }];
  });
  const info = { title: 'Kubernetes', version: 'local' };
  return { openapi: '3.0.0', info, paths: Object.fromEntries(paths) as object, components: { schemas: {} } };
}

const VERSION = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0-local',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch}`,
};

/** The API's description of itself. Undefined for any other path. */
export function discover(pathname: string): unknown {
  const path = pathname.replace(/\/$/, '');
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups().map(group) };
  if (path === '/api/v1') return resourceList('v1');
  if (path === '/version') return VERSION;
  if (path.startsWith('/openapi/v3')) return openApi(path.slice('/openapi/v3/'.length));
  const [, apis, name, version, more] = path.split('/');
  if (apis !== 'apis' || name === undefined || more !== undefined) return undefined;
  const known = groups().find((candidate) => candidate.startsWith(`${name}/`));
  if (version !== undefined) return resourceList(`${name}/${version}`);
  return known === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...group(known) };
}
