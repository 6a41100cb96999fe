/** How much of a fault a test makes: `POSTGRES_FAULTS=full` asks for the number of a long run. */
export function amount(few: number, many: number): number {
  return process.env['POSTGRES_FAULTS'] === 'full' ? many : few;
}

/** What a test measured, as one line that a program can read. */
export function printFigures(test: string, figures: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ test, ...figures })}\n`);
}
