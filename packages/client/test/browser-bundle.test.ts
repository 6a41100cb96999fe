import { expect, it } from 'vitest';
import { browserBundle } from './support/browser-bundle.ts';

/** A page that loads the client would show nothing but an error. */
it('the client bundled for browsers has nothing of Node', async () => {
  const code = await browserBundle();
  expect(code).toContain('EventManagerClient');
  expect(code.match(/^import .*$|\bfrom ["'].*$|\brequire\(|\bimport\(/gm)).toBeNull();
  expect(code.match(/\b(?:node:|Buffer\b|process\.|__dirname)/g)).toBeNull();
  // Everything of core that a client needs, and not its engine.
  expect(code.length).toBeLessThan(150_000);
});
