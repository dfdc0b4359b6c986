/**
 * The page of the upload service in headless Chromium: drop, progress, pause, reload, resume, proof; by keyboard; on a phone.
 * `SCREENSHOTS=docs/upload-service` writes the pictures of the documentation anew.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, FileChooser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UploadService } from '../../examples/upload-service/service.ts';
import type { MooseFS } from '../../src/index.ts';
import { connectShared, makeFolder } from '../support/live.ts';
import { pattern } from '../support/pattern.ts';
import { expectReplicas, md5 } from '../support/upload-service.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const COPIES = 3;
const MIB = 1024 * 1024;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
/** A browser that asks nobody for anything. */
const QUIET = [
  ...['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-default-apps', '--no-first-run'],
];
const PATIENCE = { timeout: 60_000 };

const PATIENCE_OF_A_TEST = { timeout: 180_000 };

interface Dropped {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly seed: number;
}

// Where there is no Chromium nothing of this can be shown; .ci/run installs it and takes a skipped test for a failed one.
describe.skipIf(!existsSync(CHROMIUM))('the page', () => {
  let mfs: MooseFS;
  let folder: string;
  let local: string;
  let service: UploadService;
  let browser: Browser;

  beforeAll(async () => {
    mfs = await connectShared();
    folder = await makeFolder(mfs, 'page', COPIES);
    local = await mkdtemp(join(tmpdir(), 'page-'));
    service = await UploadService.start(mfs, { directory: folder, port: 0, maxBytes: 50 * MIB, graceMs: 1000 });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  });
  afterAll(async () => {
    await browser.close();
    await service.close();
    await mfs.close();
    await rm(local, { recursive: true });
  });

  /** Opens the page; the test fails on anything that the page's scripts throw. */
  async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; errors: Error[] }> {
    const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE.timeout);
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.goto(service.url);
    return { page, errors };
  }

  async function picture(page: Page, name: string): Promise<void> {
    const target = process.env['SCREENSHOTS'];
    const png = await page.screenshot({ fullPage: true });
    expect(png.length).toBeGreaterThan(1000);
    if (target !== undefined) await writeFile(join(target, `${name}.png`), png);
  }

  /** Uploads go as slowly as over a bad line, or as fast as they can. */
  async function bandwidth(page: Page, bytesPerSecond: number): Promise<void> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: 0, downloadThroughput: -1 },
      uploadThroughput: bytesPerSecond,
    });
  }

  /** Drops a file on the page as a mouse does; the same name, bytes and date each time. */
  async function drop(page: Page, { name, type, size, seed }: Dropped): Promise<void> {
    await page.evaluate(`(() => {
      const words = new Uint32Array(Math.ceil(${size} / 4));
      let state = (${seed} * 2654435761 + 1) >>> 0 || 1;
      for (let i = 0; i < words.length; i++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        words[i] = state;
      }
      const bytes = new Uint8Array(words.buffer, 0, ${size});
      const file = new File([bytes], ${JSON.stringify(name)}, { type: ${JSON.stringify(type)}, lastModified: 1763683200000 });
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(file);
      const target = document.querySelector('#drop');
      for (const kind of ['dragenter', 'dragover', 'drop'])
        target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
    })()`);
  }

  const percent = async (page: Page): Promise<number> =>
    Number(await page.locator('.upload progress').first().getAttribute('value'));
  const overflow = (page: Page): Promise<number> =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  /** The rows of the table of replicas, without its head. */
  async function proof(page: Page): Promise<string[][]> {
    await page.getByRole('button', { name: 'Show replicas' }).click();
    await page.locator('.proof table').waitFor();
    const rows = await page.locator('.proof tbody tr').all();
    return Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
  }

  test('drop, progress, pause, reload, resume, link, md5, table of replicas', PATIENCE_OF_A_TEST, async () => {
    const film: Dropped = { name: 'moose at the lake.mp4', type: 'video/mp4', size: 24 * MIB, seed: 1 };
    const data = pattern(film.size, film.seed);
    const { page, errors } = await open();
    expect(await page.title()).toBe('Uploads to MooseFS');
    await picture(page, 'before');

    await bandwidth(page, MIB);
    await drop(page, film);
    await expect.poll(() => percent(page), PATIENCE).toBeGreaterThanOrEqual(20);
    await picture(page, 'during');
    const pause = page.locator('.upload .pause');
    await pause.click();
    expect(await pause.innerText()).toBe('Resume');
    expect(await page.locator('.upload .state').innerText()).toMatch(/^Paused at \d+ %$/);
    const paused = await percent(page);
    expect(paused).toBeLessThan(100);
    await page.waitForTimeout(700);
    expect(await percent(page)).toBe(paused);

    await page.reload();
    expect(await page.locator('#unfinished').innerText()).toContain(film.name);
    const offsets: number[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
    });
    await drop(page, film);
    await expect.poll(() => offsets.length, PATIENCE).toBe(1);
    // It goes on where the server stands, not from the beginning.
    expect(offsets[0]).toBeGreaterThan(0);
    await pause.click();
    await pause.click();
    await bandwidth(page, -1);
    await page.getByText('Done, 25.2 MB').waitFor();
    expect(await page.locator('#unfinished').isVisible()).toBe(false);
    await page.locator('.md5 code').waitFor();
    expect(await page.locator('.md5 code').innerText()).toBe(md5(data));

    const rows = await proof(page);
    expect(rows).toHaveLength(COPIES);
    for (const [, , digest, mark] of rows) expect([digest, mark]).toEqual([md5(data), '✔ yes']);
    expect(await page.locator('.proof caption').innerText()).toContain('All replicas agree');
    await picture(page, 'after');

    const link = await page.getByRole('link', { name: 'Download' }).getAttribute('href');
    const got = await fetch(new URL(link!, service.url));
    expect(got.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(md5(Buffer.from(await got.arrayBuffer()))).toBe(md5(data));
    await expectReplicas(mfs, `${folder}/${decodeURIComponent(link!.split('/').at(-1)!)}`, md5(data), COPIES);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('by keyboard alone', PATIENCE_OF_A_TEST, async () => {
    const data = pattern(3 * MIB, 2);
    const path = join(local, 'antlers.png');
    await writeFile(path, data);
    const { page, errors } = await open();
    const focused = (): Promise<string> =>
      page.evaluate('document.activeElement.id || document.activeElement.className');
    const choosers: FileChooser[] = [];
    page.on('filechooser', (chooser) => choosers.push(chooser));
    await bandwidth(page, MIB / 2);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('pick');
    // The browser is told a moment later that somebody listens; what it opened before is closed again, unseen.
    const opened = async () => {
      if (choosers.length === 0) await page.keyboard.press('Enter');
      return choosers.length > 0;
    };
    await expect.poll(opened, { ...PATIENCE, interval: 1000 }).toBe(true);
    await choosers[0]!.setFiles(path);
    await expect.poll(() => percent(page), PATIENCE).toBeGreaterThan(0);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('pause');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    expect(await focused()).toBe('pause');
    expect(await page.getByRole('status').innerText()).toBe('antlers.png paused');
    await bandwidth(page, -1);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Show replicas' }).waitFor();
    await expect.poll(() => page.getByRole('status').innerText(), PATIENCE).toBe('antlers.png is uploaded');
    for (let i = 0; i < 5 && (await focused()) !== 'verify'; i++) await page.keyboard.press('Tab');
    expect(await focused()).toBe('verify');
    await page.keyboard.press('Enter');
    await page.locator('.proof table').waitFor();
    expect(await page.locator('.proof .good').count()).toBe(COPIES + 1);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('on a phone nothing is wider than the screen', PATIENCE_OF_A_TEST, async () => {
    const { page, errors } = await open(PHONE);
    expect(await overflow(page)).toBe(0);
    const name = `${'a-name-without-a-place-to-break-'.repeat(4)}.jpg`;
    await drop(page, { name, type: 'image/jpeg', size: 200_000, seed: 3 });
    await page.getByText('Done, 200.0 KB').waitFor();
    expect(await overflow(page)).toBe(0);
    await proof(page);
    expect(await overflow(page)).toBe(0);
    expect(
      await page.evaluate(
        "(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.proof'))",
      ),
    ).toBe(0);
    // To be hit with a finger.
    for (const button of await page.locator('button:visible').all())
      expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(40);
    await picture(page, 'phone');
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('what is refused says why, and what differs is marked', PATIENCE_OF_A_TEST, async () => {
    const { page, errors } = await open(PHONE);
    await drop(page, { name: 'setup.exe', type: 'application/x-msdownload', size: 1000, seed: 4 });
    await page.getByText('Failed: files of this type are not taken', { exact: true }).waitFor();
    await drop(page, { name: 'long.mp4', type: 'video/mp4', size: 51 * MIB, seed: 5 });
    await page.getByText('Failed: too large', { exact: true }).waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await page.locator('#unfinished').isVisible()).toBe(false);
    // The server's answer for a file with a damaged and a missing replica; that it gives it is tested with verify() itself.
    await page.route('**/api/verify/*', (route) =>
      route.fulfill({
        json: {
          ok: false,
          chunks: [
            {
              index: 0,
              replicas: [
                { host: '10.0.0.1', port: 9422, state: 'valid', digest: '0'.repeat(32), ok: true },
                { host: '10.0.0.2', port: 9422, state: 'valid', digest: 'f'.repeat(32), ok: false },
                { host: '10.0.0.3', port: 9422, state: 'unreachable', ok: false },
              ],
            },
          ],
        },
      }),
    );
    await drop(page, { name: 'small.txt', type: 'text/plain', size: 10, seed: 6 });
    const rows = await proof(page);
    expect(rows.map((row) => row.at(-1))).toEqual(['✔ yes', '✘ no', '✘ no']);
    expect(rows[2]![2]).toBe('unreachable');
    expect(await page.locator('.proof caption').innerText()).toBe('Replicas differ or could not be read');
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
