import { expect, it } from 'vitest';
import { welcome } from '../src/welcome.ts';
import { configure } from './configure.ts';
import { postJson, runService } from './running-service.ts';

/** The address and the body of the line that makes a subscription. */
const WEBHOOK = /curl -s (\S+\/subscriptions) .* -d '(.*)'/;

it('shows a webhook that works as soon as the setting beside it is made', async () => {
  for (const webhookAllow of [[], ['loopback']]) {
    const service = await runService({ webhookAllow });
    const text = welcome(service, configure({ webhookAllow }));
    const [, url, body] = WEBHOOK.exec(text)!;
    const { status, body: answer } = await postJson(url!, body!);
    expect(status).toBe(webhookAllow.length === 0 ? 403 : 201);
    expect(text.includes('EVENT_MANAGER_WEBHOOK_ALLOW=loopback')).toBe(webhookAllow.length === 0);
    if (status === 403) expect(answer.detail).toContain('EVENT_MANAGER_WEBHOOK_ALLOW');
  }
});
