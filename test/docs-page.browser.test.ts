import { readConfiguration, startService } from '@event-manager/server';
import { pino } from 'pino';
import puppeteer from 'puppeteer-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findChromium } from '../packages/client/test/support/chromium.ts';

const chromium = findChromium();
if ('missing' in chromium) process.stderr.write(`Skipped, the page of /docs in a browser: ${chromium.missing}.\n`);

/** A policy that is too strict shows an empty page, which only a browser notices. */
describe.skipIf('missing' in chromium)('/docs in a browser', () => {
  it('shows every operation, asks nobody but the service, and may call it', async () => {
    const args = ['--port', '0', '--adapter', 'memory'];
    const configuration = readConfiguration({
      args,
      environment: { EVENT_MANAGER_LOG_LEVEL: 'silent', EVENT_MANAGER_METRICS_ENABLED: 'false' },
      homeDirectory: '/',
    });
    const service = await startService({ configuration, logger: pino({ level: 'silent' }) });
    onTestFinished(() => service.stop());
    const { path } = chromium as { path: string };
    const browser = await puppeteer.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const complaints: string[] = [];
    const asked = new Set<string>();
    page.on('console', (entry) => {
      if (entry.type() === 'error') complaints.push(entry.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) asked.add(new URL(request.url()).origin);
    });
    await page.goto(`${service.url}/docs`, { waitUntil: 'networkidle0' });
    await page.waitForSelector('.opblock');
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const operations = Object.values(document.paths).flatMap((item) => Object.keys(item));
    const shown = await page.$$eval('.opblock-tag-section .opblock', (blocks) => blocks.length);
    expect(shown).toBeGreaterThanOrEqual(operations.length);
    expect(await (await page.$('.topbar'))?.isVisible()).toBe(false);
    const published = await page.evaluate(async () => {
      const headers = { 'content-type': 'application/json' };
      const body = '{"type":"order.created","source":"docs"}';
      const response = await fetch('/events', { method: 'POST', headers, body });
      return response.status;
    });
    expect(published).toBe(201);
    expect([...asked]).toEqual([service.url]);
    expect(complaints).toEqual([]);
  });
});
