import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder for modules that a test writes; it goes when the test has finished. */
export function moduleFolder() {
  const path = mkdtempSync(join(tmpdir(), 'event-manager-modules-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return { path, write: (name: string, text: string) => writeFileSync(join(path, name), text) };
}
