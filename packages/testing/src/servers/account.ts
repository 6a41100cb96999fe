import { execFileSync } from 'node:child_process';

/** An account of this machine. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account under which PostgreSQL runs: it refuses root, so root lends it the one that Debian's package makes. */
export function postgresAccount(): Account | undefined {
  return process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
}

function idOf(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
}
