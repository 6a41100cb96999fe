import { mergeConfig } from 'vitest/config';
import base from '../../../../vitest.config.ts';

/** The repository's own settings, for the one suite that is meant to fail. */
const config = mergeConfig(base, { root: import.meta.dirname });
config.test = { ...config.test, include: ['mutants.suite.ts'] };
export default config;
