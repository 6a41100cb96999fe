import { resolve as absolute } from 'node:path';
import type { ResolveAddresses } from '@event-manager/webhook';
import type { ExportConfiguration } from '../configuration/events-configuration.ts';
import { DescriptorTarget } from './descriptor-target.ts';
import type { Export, ExportParts, ExportStatus } from './export.ts';
import { FileTarget } from './file-target.ts';
import { LineExport } from './line-export.ts';

export interface ExportPoolOptions extends ExportParts {
  readonly resolve: ResolveAddresses | undefined;
  readonly stdout: number | undefined;
}

interface Pooled {
  readonly some: Export;
  users: number;
}

/**
 * The exports of all routes. Two configurations that mean the same place share it: a file is never written by two hands, and
 * switching off and on does not close what is opened again at once.
 */
export class ExportPool {
  readonly #options: ExportPoolOptions;
  readonly #pooled = new Map<string, Pooled>();
  readonly #closing = new Set<Promise<void>>();
  #webhooks: typeof import('./webhook-export.ts') | undefined;

  constructor(options: ExportPoolOptions) {
    this.#options = options;
  }

  /** The client of webhooks is loaded where there is one. */
  prepare(exports: readonly ExportConfiguration[]): Promise<void> | undefined {
    if (this.#webhooks || exports.every(({ webhook }) => webhook === undefined)) return undefined;
    return import('./webhook-export.ts').then((module) => {
      this.#webhooks = module;
    });
  }

  /** Throws `invalid_subscription`. Where there is no webhook it signs nothing. */
  assertSecret(secret: string): void {
    this.#webhooks?.assertWebhookSecret(secret);
  }

  /** Throws what a webhook is refused for, with nothing taken. */
  take(settings: ExportConfiguration): Export[] {
    const { prettyJson, file, fileMaxBytes, fileMaxAgeMs, fileKeep, webhook } = settings;
    const wanted: [key: string, make: () => Export][] = [];
    if (webhook !== undefined) {
      const { webhookSecret, webhookAllow, webhookBatchSize, webhookMaxRetries } = settings;
      const key = JSON.stringify([webhook, webhookSecret, webhookAllow, webhookBatchSize, webhookMaxRetries]);
      wanted.push([key, () => this.#webhook(settings)]);
    }
    if (settings.stdout) wanted.push([JSON.stringify(['stdout', prettyJson]), () => this.#stdout(prettyJson)]);
    if (file !== undefined) {
      const key = JSON.stringify([absolute(file), prettyJson, fileMaxBytes, fileMaxAgeMs, fileKeep]);
      wanted.push([key, () => this.#file(settings)]);
    }
    return wanted.map(([key, make]) => {
      const pooled = this.#pooled.get(key) ?? { some: make(), users: 0 };
      this.#pooled.set(key, pooled);
      pooled.users++;
      return pooled.some;
    });
  }

  /** Whoever is the last to leave closes it, in the background. */
  release(some: Export): void {
    const [key, pooled] = [...this.#pooled].find(([, each]) => each.some === some) ?? [];
    if (key === undefined || pooled === undefined || --pooled.users > 0) return;
    const closing = this.#closeUnused(key, pooled).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#pooled.values()].map(({ some }) => some.flush()));
    await Promise.all(this.#closing);
  }

  abandon(): number {
    return [...this.#pooled.values()].reduce((sum, { some }) => sum + some.abandon(), 0);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pooled.values()].map(({ some }) => some.close()));
    await Promise.all(this.#closing);
    this.#pooled.clear();
  }

  status(): readonly ExportStatus[] {
    return [...this.#pooled.values()].map(({ some }) => some.status());
  }

  /** While it is flushed somebody may come back: then it stays. */
  async #closeUnused(key: string, pooled: Pooled): Promise<void> {
    await pooled.some.flush();
    if (pooled.users > 0 || this.#pooled.get(key) !== pooled) return;
    this.#pooled.delete(key);
    await pooled.some.close();
  }

  #webhook(settings: ExportConfiguration): Export {
    return new this.#webhooks!.WebhookExport({ ...this.#options, settings });
  }

  #stdout(isPretty: boolean): Export {
    const { runtime, stdout } = this.#options;
    return new LineExport(new DescriptorTarget(runtime.timers, stdout), isPretty, this.#options);
  }

  #file({ file, prettyJson, fileMaxBytes, fileMaxAgeMs, fileKeep }: ExportConfiguration): Export {
    const { runtime, report } = this.#options;
    const target = new FileTarget({
      path: absolute(file!),
      bytesMax: fileMaxBytes,
      ageMsMax: fileMaxAgeMs,
      keep: fileKeep,
      clock: runtime.clock,
      report,
    });
    return new LineExport(target, prettyJson, this.#options);
  }
}
