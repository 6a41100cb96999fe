import { buildCommand, type Command } from '@stricli/core';
import type { CliContext } from '../../cli-context.ts';
import { lines, SERVICE_FLAGS, type ServiceFlags } from '../../command-flags.ts';
import { SERVE_FLAGS, type ServeFlags } from '../serve/route.ts';

export interface DoctorFlags extends ServiceFlags, ServeFlags {}

export const doctorRoute: Command<CliContext> = buildCommand({
  loader: async () => (await import('./doctor.ts')).doctor,
  parameters: { flags: { ...SERVICE_FLAGS, ...SERVE_FLAGS } },
  docs: {
    brief: 'Look at everything the service needs and say what to do; exits with 1 if something is wrong',
    fullDescription: lines(
      'Looks at Node, the settings and which of two names won, the data directory (permission, space, who',
      'has it open) or the database and the Redis beside it, the port, the service and its health, and the',
      'clock. Changes nothing. A warning is no failure.',
    ),
    customUsage: [
      { input: '', brief: 'with the settings of this shell' },
      { input: '--config ./settings.toml --json', brief: 'for programs' },
    ],
  },
});
