import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'puppeteer-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** A page of a browser that somebody looks at. */
export class Visit {
  readonly page: Page;
  /** What it said that it should not: errors of scripts, refusals of the content security policy. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()));
    page.on('dialog', (dialog) => void dialog.accept());
  }

  static async begin(browser: Browser | BrowserContext): Promise<Visit> {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    return new Visit(page);
  }

  /** A screen, once it has what it shows. `address`: that of the dashboard, with its token. */
  async open(address: string, path: string): Promise<void> {
    const { origin, hash } = new URL(address);
    await this.page.goto(`${origin}${path}${hash}`);
    await this.loaded();
  }

  async loaded(): Promise<void> {
    await this.page.waitForSelector('h1');
    await this.page.waitForFunction(() => document.querySelector('.loading') === null);
    await this.page.waitForFunction(() => document.documentElement.dataset['reading'] === '0');
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (one) => one.textContent ?? '');
  }

  texts(selector: string): Promise<string[]> {
    return this.page.$$eval(selector, (all) => all.map((one) => one.textContent ?? ''));
  }

  until(wanted: string): Promise<unknown> {
    return this.page.waitForFunction((part) => document.body.innerText.includes(part), {}, wanted);
  }

  /** The button that bears this text. */
  async press(text: string): Promise<void> {
    const found = await this.page.waitForSelector(`::-p-xpath(//button[normalize-space()="${text}"])`);
    await found?.click();
  }

  /** What axe finds, and by how much the page is wider than the screen. */
  async faults(): Promise<{ readonly violations: readonly string[]; readonly overflow: number }> {
    await this.page.evaluate(AXE);
    return this.page.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: Axe }).axe.run();
      return {
        violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`),
        overflow: document.documentElement.scrollWidth - window.innerWidth,
      };
    });
  }
}
