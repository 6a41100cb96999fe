// #region components
import type { ExecutionContext } from '@event-manager/components';

/** A program of the usual kind: a workflow of steps, an agent, its tools. Nothing in these functions knows of events. */
const PAGES: Readonly<Record<string, string>> = { events: 'Events are facts.', topics: 'Topics have levels.' };

async function search(query: string): Promise<string[]> {
  return Object.keys(PAGES).filter((name) => query.includes(name));
}

function read(name: string): string {
  const page = PAGES[name];
  if (page === undefined) throw new RangeError(`No page ${name} in /home/alice/pages; token=abc123`);
  return page;
}

async function* write(pages: readonly string[]) {
  for (const page of pages) yield `> ${page}`;
}
// #endregion

// #region wrapped
/** Where they are put together they are wrapped, and that is all. */
export function answering(context: ExecutionContext) {
  const tools = { search: context.wrapTool('search', search), read: context.wrapTool('read', read) };
  const writer = context.wrapAgent('writer', write);
  const researcher = context.wrapAgent('researcher', async (question: string) => {
    const names = await tools.search(question);
    return names.map((name) => tools.read(name));
  });
  const gather = context.wrapStep('gather', (question: string) => researcher(question));
  return context.wrapWorkflow('answer', async (question: string) => {
    const pages = await gather(question);
    if (pages.length === 0) tools.read(question);
    const lines: string[] = [];
    for await (const line of writer(pages)) lines.push(line);
    return lines.join('\n');
  });
}
// #endregion
