/** What Node throws for a failed system call: programs look at `code`, never at the text. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;
  readonly syscall: string;
  readonly path: string;

  constructor(code: string, syscall: string, path: string) {
    super(`${code}: ${syscall} '${path}'`);
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }
}
