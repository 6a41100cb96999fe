// Starts the shop with a death in the middle of order 1, and again: `npm run saga`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { readServices } from './services.ts';

const SHOP = fileURLToPath(new URL('shop.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'event-manager-saga-'));

async function runShop(...more: readonly string[]): Promise<string> {
  const shop = spawn(execPath, ['--conditions=source', SHOP, directory, ...more], { stdio: 'inherit' });
  const [code, signal] = await once(shop, 'exit');
  return signal ?? `code ${code}`;
}

try {
  console.log(`-- the shop ended with ${await runShop('order-1/charge-card')}; it is started again --`);
  console.log(`-- the shop ended with ${await runShop()} --`);
  console.log('what the services did, each of it once:');
  for (const { key, effect } of readServices(join(directory, 'services.jsonl'))) {
    console.log(`  ${key}: ${effect}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
