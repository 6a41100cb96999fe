import type { Line } from './line.ts';

const HEAD = ['benchmark', 'value', 'unit', 'limit', 'ratio', 'p50', 'p99', 'target', 'reached'];

/** The lines for people: columns, then the notes beneath. */
export function table(lines: readonly Line[]): string {
  const rows = [HEAD, ...lines.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const text = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const notes = lines.flatMap(({ name, note, details }) => [
    ...(note === undefined ? [] : [`${name}: ${note}`]),
    ...(details === undefined ? [] : [`${name}: ${JSON.stringify(details)}`]),
  ]);
  return [...text, '', ...notes, ''].join('\n');
}

function cells(line: Line): string[] {
  const { name, value, unit, limit, ratio, p50, p99, target, ok } = line;
  const reached = ok === undefined ? '' : ok ? 'yes' : 'no';
  return [name, figure(value), unit, figure(limit), figure(ratio), figure(p50), figure(p99), target, reached];
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
