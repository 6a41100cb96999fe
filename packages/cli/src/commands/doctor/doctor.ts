import { isLoopback } from '@event-manager/server/configuration';
import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import { plain } from '../../output/plain.ts';
import { serviceUrl } from '../../service/service-url.ts';
import { settingArguments } from '../serve/setting-arguments.ts';
import type { Finding, Patient } from './check.ts';
import { checkClock } from './check-clock.ts';
import { checkDataDirectory } from './check-data-directory.ts';
import { checkDatabase } from './check-database.ts';
import { checkNode } from './check-node.ts';
import { checkMetricsPort, checkPort } from './check-port.ts';
import { checkRedis } from './check-redis.ts';
import { checkService } from './check-service.ts';
import { checkSettings } from './check-settings.ts';
import type { DoctorFlags } from './route.ts';

const MARKS = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const;

export async function doctor(this: CliContext, flags: DoctorFlags): Promise<void> {
  const findings = await examine(this, flags);
  const status = (['failed', 'warning', 'ok'] as const).find((worst) =>
    findings.some((found) => found.status === worst),
  );
  const output = new Output(this, flags);
  await output.result({ status, findings }, () => findings.flatMap(lines));
  if (status === 'failed') this.end('failed');
}

async function examine(context: CliContext, flags: DoctorFlags): Promise<readonly Finding[]> {
  const { environment, homeDirectory, runtime } = context.surroundings;
  const { findings, settled } = checkSettings({ args: settingArguments(flags), environment, homeDirectory });
  const first = [checkNode(process.versions.node), ...findings];
  if (settled === undefined) return first;
  const { configuration } = settled;
  const own = ownUrl(configuration);
  const isSaid = flags.url !== undefined || (environment['EVENT_MANAGER_URL'] ?? '') !== '';
  const url = isSaid || own === undefined ? serviceUrl(context, flags.url) : own;
  const service = await checkService(url, runtime);
  const patient: Patient = { configuration, runtime, isServing: service.answer !== undefined && url === own };
  return [
    ...first,
    ...(await checkDataDirectory(patient)),
    ...(await checkDatabase(patient)),
    ...(await checkRedis(patient)),
    await checkPort(patient),
    ...(await checkMetricsPort(patient)),
    ...service.findings,
    await checkClock(patient, service.answer),
  ];
}

/** Where these settings put the service; `undefined` when that is any free port. */
function ownUrl({ host, port }: Patient['configuration']): string | undefined {
  if (port === 0) return undefined;
  // 0.0.0.0 is where it listens, not where it is.
  const name = isLoopback(host) ? host : '127.0.0.1';
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function lines({ check, status, detail, advice }: Finding): string[] {
  const line = `${MARKS[status]}  ${check.padEnd(14)}  ${plain(detail)}`;
  return advice === undefined ? [line] : [line, `${' '.repeat(25)}${plain(advice)}`];
}
