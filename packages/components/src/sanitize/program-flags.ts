export interface ProgramFlags {
  /** A password stands directly behind `-p`: `mysql -phunter22`. */
  readonly isJoined?: boolean;
  /** Behind these the next word is a secret. */
  readonly separate?: readonly string[];
  /** The same, once the word `login` was there: before, they mean something else. */
  readonly atLogin?: readonly string[];
  /** The next word is a name and its password: `sqlplus scott/tiger@db`. */
  readonly isAccount?: boolean;
  /** Words with a sign in them are an account at a host, also without a domain: `ssh alice@laptop`. */
  readonly isRemote?: boolean;
}

const LOGIN: ProgramFlags = { atLogin: ['-p', '--password'] };
const MONGO: ProgramFlags = { separate: ['-p'] };
const LDAP: ProgramFlags = { separate: ['-w'] };
const ORACLE: ProgramFlags = { isAccount: true };
const REMOTE: ProgramFlags = { isRemote: true };
const JOINED: ProgramFlags = { isJoined: true };
const REDIS: ProgramFlags = { separate: ['-a', '--pass'] };
const CAPITAL: ProgramFlags = { separate: ['-P'] };
const PROGRAMS: ReadonlyMap<string, ProgramFlags> = new Map([
  ...families(REDIS, 'redis-cli valkey-cli'),
  ...families(MONGO, 'mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh hdbsql'),
  ...families(CAPITAL, 'sqlcmd bcp zip unzip'),
  ...families(LDAP, 'ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd ldapcompare'),
  ...families({ separate: ['-k', '-K', '-pass'] }, 'openssl'),
  ...families({ separate: ['-b', '--cookie'] }, 'curl'),
  ...families({ isJoined: true, separate: ['-p'] }, 'sshpass'),
  ...families(LOGIN, 'docker podman helm az oc skopeo buildah nerdctl'),
  ...families(REMOTE, 'ssh scp sftp rsync mosh ssh-copy-id ssh-rsa ssh-ed25519 ecdsa-sha2-nistp256'),
  ...families(ORACLE, 'sqlplus sqlldr expdp impdp rman'),
]);

/** How a program is given secrets; nothing of a word that is none of those. */
export function programFlags(word: string): ProgramFlags | undefined {
  const name = word.slice(word.lastIndexOf('/') + 1);
  return PROGRAMS.get(name) ?? (name.startsWith('mysql') || name.startsWith('mariadb') ? JOINED : undefined);
}

function families(flags: ProgramFlags, names: string): (readonly [string, ProgramFlags])[] {
  return names.split(' ').map((name) => [name, flags] as const);
}
