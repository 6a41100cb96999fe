import { cliPage } from './cli-page.ts';
import { configurationPage } from './configuration-page.ts';
import { metricsPage } from './metrics-page.ts';

/** Every page that is made from code. */
export function pages(): { readonly file: string; readonly text: string }[] {
  return [
    { file: 'docs/configuration.md', text: configurationPage() },
    { file: 'docs/cli.md', text: cliPage() },
    { file: 'docs/metrics.md', text: metricsPage() },
  ];
}
