import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { Hono } from 'hono';
import { isRecord, jsonOf } from '../../../../lib/core/json.ts';
import type { Archive } from '../../../../lib/flink/archive/archive.ts';
import { OVERVIEW } from '../../../../lib/flink/archive/paths.ts';
import { ownPagesOnly } from '../../../../lib/view/server/guard.ts';
import type { WebFiles } from './web-files.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.ttf': 'font/ttf',
};

const LIVE = /\/(?:metrics|watermarks)$/;

/** Flink's web UI over archives, as its HistoryServer serves it: what was not archived is not found. */
export async function archiveApp(archives: readonly Archive[], web: WebFiles, flinkVersion: string): Promise<Hono> {
  const answers = new Map(archives.flatMap((archive) => [...archive]));
  answers.set(OVERVIEW, JSON.stringify({ jobs: archives.flatMap(jobsOf) }));
  answers.set('/applications/overview', JSON.stringify({ applications: [] }));
  answers.set('/config', JSON.stringify(configOf(flinkVersion)));
  const policy = policyOf(Buffer.from((await web.read('index.html')) ?? '').toString());
  const app = new Hono();
  app.use(ownPagesOnly, async (context, next) => {
    await next();
    context.header('content-security-policy', policy);
    context.header('x-content-type-options', 'nosniff');
    context.header('referrer-policy', 'no-referrer');
    context.header('x-frame-options', 'DENY');
    context.header('cache-control', 'no-cache');
  });
  app.get('*', async (context) => {
    const { path } = context.req;
    const answer = answers.get(path);
    if (answer !== undefined) return context.body(answer, 200, { 'content-type': 'application/json' });
    const name = path === '/' ? 'index.html' : path.slice(1);
    const file = await web.read(name);
    // The UI asks for what only a job that runs has, and shows whatever is called an error on top of the page.
    if (file === undefined) return LIVE.test(path) ? context.json([]) : context.json({}, 404);
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    return context.body(Buffer.from(file), 200, { 'content-type': type });
  });
  app.all('*', (context) => context.json({ errors: ['What is archived cannot be changed.'] }, 405));
  return app;
}

function jobsOf(archive: Archive): readonly unknown[] {
  const overview = jsonOf(archive.get(OVERVIEW) ?? '');
  return isRecord(overview) && Array.isArray(overview['jobs']) ? (overview['jobs'] as unknown[]) : [];
}

/** DashboardConfiguration, of a HistoryServer. */
function configOf(flinkVersion: string): object {
  const features = { 'web-submit': false, 'web-cancel': false, 'web-rescale': false, 'web-history': true };
  const zone = { 'timezone-name': 'Coordinated Universal Time', 'timezone-offset': 0 };
  return { 'refresh-interval': 10_000, ...zone, 'flink-version': flinkVersion, 'flink-revision': 'archive', features };
}

/** The UI's own files alone, and the one handler that stands in its HTML: it turns the style sheet on. */
function policyOf(html: string): string {
  const handlers = [...html.matchAll(/\sonload="([^"]*)"/g)].map(([, code = '']) => code);
  const hashes = handlers.map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`);
  return [
    "default-src 'none'",
    `script-src 'self' 'unsafe-hashes' ${hashes.join(' ')}`.trim(),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
