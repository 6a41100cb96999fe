import { cliPage } from './cli-page.ts';
import { configurationPage } from './configuration-page.ts';
import { eventSchema } from './event-schema.ts';
import { metricsPage } from './metrics-page.ts';

/** Everything for readers that is made from code. */
export function pages(): { readonly file: string; readonly text: string }[] {
  return [
    { file: 'docs/configuration.md', text: configurationPage() },
    { file: 'docs/cli.md', text: cliPage() },
    { file: 'docs/metrics.md', text: metricsPage() },
    { file: 'packages/core/event.schema.json', text: eventSchema() },
  ];
}
