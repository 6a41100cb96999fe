import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ENTRY = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

/** The client as a page loads it: one file, made as bundlers make it for browsers. */
export async function browserBundle(): Promise<string> {
  const bundle = await rolldown({
    input: ENTRY,
    platform: 'browser',
    resolve: { conditionNames: ['source', 'browser', 'import', 'default'] },
    // What cannot be resolved would stay an import, which is what the test looks for; a warning only repeats it.
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  return output[0].code;
}
