import { homedir, tmpdir } from 'node:os';
import { posix } from 'node:path';
import { withoutEncodedHomes } from './without-encoded-homes.ts';
import { withoutNamedHomes } from './without-named-homes.ts';

const HOME = '~';
const TEMPORARY = '<tmp>';
const DRIVE = '<drive>';
const SHARE = '<share>';
/** Folders whose next level is the name of a user. */
const HOMES = ['/home/', '/Users/', '/var/home/', '/export/home/', '/usr/home/', '/data/home/'];
/** Drives of Windows as its shells for Linux mount them. */
const MOUNTED_HOME = /^\/(?:mnt\/[a-z]|cygdrive\/[a-z]|[a-z])\/Users\/[^/]{1,64}/i;
/** Where homes of other machines and systems are mounted, at most two folders deeper. */
const FAR = new Set(
  'net nfs autofs mnt media srv Network Volumes System host hostfs rootfs run proc gpfs lustre ceph scratch afs wsl$ wsl.localhost'.split(
    ' ',
  ),
);
const FAR_FOLDERS_MAX = 5;
const HOME_FOLDERS = new Set(['home', 'homes', 'Users']);
/** Where containers keep their layers, with the homes in them. */
const LAYERS = /^\/var\/lib\/(?:docker|containers?|containerd|lxc|machines|kubelet)\//;
/** Servers with more homes than one folder takes, and folders that have the name of their user. */
const OTHER_HOME = /^\/(?:home\d{1,2}|homes|nethome|run\/media|Users)\/[^/]{1,64}/;
/** The name at its end is that of a user. */
const USER_FILE = /^\/var\/(?:mail|spool\/(?:mail|cron\/crontabs|cron))(?=\/[^/]{1,64}$)/;
const HOME_SHARES = /^(users|homes?|profiles)\$?$/i;
const WINDOWS_HOMES = ['users/', 'documents and settings/', 'docume~1/'];
/** Of a Linux inside of Windows. */
const ROOT_HOME = '/rootfs/home/';
/** A share in a path that Windows takes as it is. */
const FAR_SHARE = /^UNC\\{1,4}/i;
const FAR_SHARE_CHARACTERS = 8;
/** On the drive of whoever reads it. */
const ROOTED_HOME = /^\\Users\\/i;
const ROOTED_CHARACTERS = 8;
const TEMPORARIES = ['/tmp', '/var/tmp', '/private/tmp', '/private/var/tmp', '/dev/shm'];
/** `/Users/Ann Smith/x`, `/home/ann\\ smith/x`. Small letters without a backslash are the text around the path. */
const FULL_NAME = /^(?: \p{Lu}[\p{L}'-]{1,30}){1,2}(?=\/)/u;
const ESCAPED_NAME = /^ [\p{L}\p{N}'-]{1,30}/u;
const USER_CHARACTERS_MAX = 64;
const PATH_HEAD_CHARACTERS = 512;
const SHARE_CHARACTERS_MAX = 200;
/** What ends a path in a text. */
const ENDS = ' \t\r\n"\'`<>|*?,;()[]{}';

/**
 * Rewrites the paths in a text so that they say nothing of the machine and its user: home folders become `~`, temporary ones `<tmp>`, drives
 * `<drive>` and shares `<share>`; `..` is resolved. What follows stays, because that is what one looks for in an error.
 */
export function normalizePaths(given: string): string {
  const named = withoutNamedHomes(given, HOME);
  const text = named.includes('%') ? withoutEncodedHomes(named, HOME) : named;
  if (!text.includes('/') && !text.includes('\\')) return text;
  let result = '';
  let at = 0;
  let taken = 0;
  while (at < text.length) {
    const found = isPathStart(text, at) ? pathAt(text, at) : undefined;
    if (found === undefined) {
      at++;
      continue;
    }
    result += text.slice(taken, at) + found.normal;
    taken = at = Math.max(found.end, at + 1);
  }
  return taken === 0 ? text : result + text.slice(taken);
}

interface FoundPath {
  readonly normal: string;
  readonly end: number;
}

function isPathStart(text: string, at: number): boolean {
  const character = text[at]!;
  if (character === '/' || character === '\\' || character === '~') return true;
  if (text[at + 1] !== ':' || (text[at + 2] !== '\\' && text[at + 2] !== '/')) return false;
  // `neo4j+s://`
  return isLoneLetter(text, at) && text[at - 1] !== '+';
}

function pathAt(text: string, at: number): FoundPath | undefined {
  if (text[at] === '/') return posixPath(text, at);
  if (text[at] === '~') return otherHome(text, at);
  return text[at] === '\\' ? sharePath(text, at) : drivePath(text, at);
}

function posixPath(text: string, at: number): FoundPath | undefined {
  // The middle of a relative path, of a URL or of what is no path at all stays.
  if (at > 0 && isNameCharacter(text, at - 1) && !isBehindFlag(text, at) && !isRedirected(text, at)) return undefined;
  let start = at;
  while (text[start + 1] === '/') start++;
  if (start > at && text[at - 1] === ':') return fileUrlPath(text, at, start);
  return pathFrom(text, start);
}

/** `2>/home/alice/x`. What was taken out before ends in the same sign. */
function isRedirected(text: string, at: number): boolean {
  return text[at - 1] === '>' && ![TEMPORARY, DRIVE, SHARE].some((word) => text.startsWith(word, at - word.length));
}

/** `-I/usr/include`: a flag of one letter with its path. */
function isBehindFlag(text: string, at: number): boolean {
  const isFlag = text[at - 2] === '-' && isLetter(text, at - 1);
  return isFlag && (at === 2 || !isNameCharacter(text, at - 3));
}

/** `~bob/x` is the home of another user. */
function otherHome(text: string, at: number): FoundPath | undefined {
  if (at > 0 && isNameCharacter(text, at - 1)) return undefined;
  let end = at + 1;
  while (end - at <= USER_CHARACTERS_MAX && isNameCharacter(text, end) && text[end] !== '/') end++;
  return end > at + 1 && text[end] === '/' ? { normal: HOME, end } : undefined;
}

function pathFrom(text: string, start: number): FoundPath {
  const end = pathListEnd(text, start);
  const path = text.slice(start, end);
  const resolved = path.includes('/.') || path.includes('//') ? posix.normalize(path) : path;
  const normal = shortened(resolved);
  const more = normal === HOME ? restOfName(text, end) : 0;
  if (more === 0) return { normal, end };
  const last = pathListEnd(text, end + more);
  return { normal: HOME + text.slice(end + more, last), end: last };
}

/** How much of a user's name stands behind the first space in it. */
function restOfName(text: string, from: number): number {
  const behind = text.slice(from, from + USER_CHARACTERS_MAX);
  const form = text[from - 1] === '\\' ? ESCAPED_NAME : FULL_NAME;
  return form.exec(behind)?.[0].length ?? 0;
}

/** `file:///…`: its last slash begins the path. Behind two slashes stands a host, and what follows is no path of this machine. */
function fileUrlPath(text: string, at: number, start: number): FoundPath | undefined {
  if (start - at < 2 || text.slice(Math.max(0, at - 5), at).toLowerCase() !== 'file:') return undefined;
  const isDrive = text[start + 2] === ':' && isLetter(text, start + 1);
  const found = isDrive ? drivePath(text, start + 1) : pathFrom(text, start);
  return { normal: `//${found.normal}`, end: found.end };
}

/** In a list of paths a colon ends one. */
function pathListEnd(text: string, from: number): number {
  const end = pathEnd(text, from);
  const next = text.slice(from, end).indexOf(':/');
  return next < 0 ? end : from + next;
}

/** Where a URL or a path of its own begins with `/`, its folders are told by these words. */
export function shortened(path: string): string {
  for (const folder of ownFolders().homes) if (isBelow(path, folder)) return HOME + path.slice(folder.length);
  for (const folder of ownFolders().temporaries)
    if (isBelow(path, folder)) return TEMPORARY + path.slice(folder.length);
  if (isBelow(path, '/root')) return HOME + path.slice('/root'.length);
  for (const homes of HOMES) {
    if (!path.startsWith(homes)) continue;
    const next = path.indexOf('/', homes.length);
    return next < 0 ? HOME : HOME + path.slice(next);
  }
  const found = (MOUNTED_HOME.exec(path) ?? OTHER_HOME.exec(path))?.[0] ?? farHome(path);
  if (found !== undefined) return HOME + path.slice(found.length);
  const inLayer = LAYERS.test(path) ? path.indexOf('/home/') : -1;
  if (inLayer > 0) return shortened(path.slice(inLayer));
  const file = USER_FILE.exec(path)?.[0];
  if (file !== undefined) return `${file}/${HOME}`;
  // macOS keeps those of each user in folders with names drawn by chance.
  const folders = /^(?:\/private)?\/var\/folders\/[^/]{1,16}\/[^/]{1,64}/.exec(path)?.[0];
  return folders === undefined ? path : TEMPORARY + path.slice(folders.length);
}

function farHome(path: string): string | undefined {
  const [, first, ...folders] = path.slice(0, PATH_HEAD_CHARACTERS).split('/', FAR_FOLDERS_MAX + 1);
  if (first === undefined || !FAR.has(first)) return undefined;
  const at = folders.findIndex((folder) => HOME_FOLDERS.has(folder));
  const user = at < 0 ? undefined : folders[at + 1];
  return user ? ['', first, ...folders.slice(0, at + 2)].join('/') : undefined;
}

function drivePath(text: string, at: number): FoundPath {
  return windowsPath(text, at + 2, DRIVE);
}

/** `\\server\share\…`, also with its backslashes doubled as in JSON. */
function sharePath(text: string, at: number): FoundPath | undefined {
  // A name or another backslash before it: this is the middle of something.
  if (at > 0 && isNameCharacter(text, at - 1)) return undefined;
  let start = at;
  while (text[start] === '\\') start++;
  if (start - at < 2)
    return ROOTED_HOME.test(text.slice(at, at + ROOTED_CHARACTERS)) ? windowsPath(text, at, '') : undefined;
  if (text[start] === '?' || text[start] === '.') {
    // `\\?\C:\…`: a path that Windows takes as it is.
    while ('?.\\'.includes(text[start] ?? ' ')) start++;
    if (text[start + 1] === ':' && isLetter(text, start)) return drivePath(text, start);
    const far = FAR_SHARE.exec(text.slice(start, start + FAR_SHARE_CHARACTERS))?.[0];
    if (far === undefined) return undefined;
    start += far.length;
  }
  const [server, share] = text.slice(start, start + SHARE_CHARACTERS_MAX).split(/\\{1,4}/, 2);
  if (!server || !share || !/^[\w.$ -]{1,80}$/.test(server) || !/^[\w.$-]{1,80}/.test(share)) return undefined;
  const name = /^[\w.$-]{1,80}/.exec(share)![0];
  const rest = text.indexOf(name, start + server.length) + name.length;
  if (HOME_SHARES.test(name) && (text[rest] === '\\' || text[rest] === '/')) {
    const below = restOf(text, userEnd(text, rest));
    return { normal: HOME + below.normal, end: below.end };
  }
  return windowsPath(text, rest, SHARE);
}

/** From its first separator on. The name of a user may have spaces in it. */
function windowsPath(text: string, from: number, root: string): FoundPath {
  let start = from;
  while (text[start] === '\\' || text[start] === '/') start++;
  for (const homes of WINDOWS_HOMES) {
    const head = text
      .slice(start, start + homes.length)
      .replace('\\', '/')
      .toLowerCase();
    if (head !== homes) continue;
    const end = userEnd(text, start + homes.length);
    const rest = restOf(text, end);
    const within = rest.normal.indexOf(ROOT_HOME);
    if (within >= 0)
      return { normal: shortened(rest.normal.slice(within + ROOT_HOME.indexOf('/home'))), end: rest.end };
    const normal = HOME + rest.normal.replace(/^\/AppData\/Local\/Temp(?=\/|$)/i, '');
    return {
      normal: normal.length < HOME.length + rest.normal.length ? normal.replace(HOME, TEMPORARY) : normal,
      end: rest.end,
    };
  }
  const rest = restOf(text, from);
  const below = shortened(rest.normal);
  return { normal: below.startsWith(HOME) ? below : root + rest.normal, end: rest.end };
}

function restOf(text: string, from: number): FoundPath {
  const end = pathEnd(text, from);
  const slashed = text.slice(from, end).replace(/\\{1,4}/g, '/');
  const isResolved = slashed.startsWith('/') && slashed.includes('/.');
  return { normal: isResolved ? posix.normalize(slashed) : slashed, end };
}

function userEnd(text: string, from: number): number {
  let at = from;
  while (text[at] === '\\' || text[at] === '/') at++;
  const start = at;
  while (at < text.length && at - start < USER_CHARACTERS_MAX && !'\\/:*?"<>|\r\n,;'.includes(text[at]!)) at++;
  // Without a separator behind it, what follows the first space is the text around it.
  return text[at] === '\\' || text[at] === '/' ? at : pathEnd(text, start);
}

function pathEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && !ENDS.includes(text[end]!)) end++;
  return end;
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || '/:'.includes(path[folder.length]!));
}

function isLoneLetter(text: string, at: number): boolean {
  return isLetter(text, at) && (at === 0 || !isNameCharacter(text, at - 1));
}

function isLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at) | 0x20;
  return code >= 0x61 && code <= 0x7a;
}

function isNameCharacter(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return isLetter(text, at) || (code >= 0x30 && code <= 0x39) || '_.-/~>\\%'.includes(text[at]!) || code > 0x7f;
}

interface OwnFolders {
  readonly homes: readonly string[];
  readonly temporaries: readonly string[];
}

let own: OwnFolders | undefined;

/** Those of this process, wherever they are. */
function ownFolders(): OwnFolders {
  own ??= {
    homes: [homedir()].filter(isOfUse),
    temporaries: [...new Set([tmpdir(), ...TEMPORARIES])].filter(isOfUse),
  };
  return own;
}

function isOfUse(folder: string): boolean {
  return folder.startsWith('/') && folder.length > 1;
}
