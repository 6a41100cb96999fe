import type { SettledSetting } from './read-configuration.ts';

/** Settings that say where the assistance service is. */
const ADDRESSES = ['aasWebhookUrl', 'aasWebsocketUrl', 'aasServiceUrl'] as const;

/**
 * The hosts that the settings of the assistance service name: whoever set them has said that they may be called, so webhooks may call
 * them wherever they are. A text that is no URL names none.
 */
export function assistanceHosts(settings: ReadonlyMap<string, SettledSetting>): readonly string[] {
  const hosts = ADDRESSES.flatMap((name) => {
    const given = settings.get(name)?.value;
    const host = typeof given === 'string' ? URL.parse(given)?.hostname : undefined;
    return host ? [host.replace(/^\[|\]$/g, '')] : [];
  });
  return [...new Set(hosts)];
}
