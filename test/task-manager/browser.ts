import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where the browser is that pages are tested in; Debian's package puts it there. */
const EXECUTABLE = process.env['EVENT_MANAGER_CHROMIUM'] ?? '/usr/bin/chromium';

/** Starts a headless Chromium. Without one the test fails: a page that nobody looked at is not tested. */
export async function startBrowser(): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new TypeError(
      `There is no browser at ${EXECUTABLE}. Install one (apt-get install chromium), or say in EVENT_MANAGER_CHROMIUM where it is.`,
    );
  }
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
