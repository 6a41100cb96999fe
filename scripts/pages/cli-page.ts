import { application, EXIT_CODES } from '@event-manager/cli';
import { generateHelpTextForAllCommands } from '@stricli/core';

/** docs/cli.md, from the commands themselves. */
export function cliPage(): string {
  const commands = generateHelpTextForAllCommands(application({ isJson: false }) as never);
  return [
    OPENING,
    '| Code | Meaning |\n|---|---|',
    ...Object.values(EXIT_CODES).map(({ code, meaning }) => `| ${code} | ${meaning} |`),
    COMPLETION,
    ...commands
      .filter(([route]) => route !== 'event-manager propose')
      .map(([route, help]) => `### ${route}\n\n\`\`\`\n${trimmed(help)}\n\`\`\`\n`),
  ].join('\n');
}

function trimmed(help: string): string {
  return help
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}

const OPENING = `# The command line

This page is written by \`npm run pages\` from the commands in \`packages/cli\`; a test keeps them equal.

\`\`\`sh
npx event-manager serve                                     # run the service
npx event-manager tail                                      # watch events arrive, in another terminal
npx event-manager publish order.created '{"total":12.5}' --source shop
npx event-manager doctor                                    # something is wrong?
\`\`\`

- **Which service:** \`--url\`, else \`EVENT_MANAGER_URL\`, else \`http://localhost:3004\`.
- **For programs:** with \`--json\` standard output holds JSON and nothing else: one value, or one per line (NDJSON) where there may be many. An error is one line
  \`{"error":{"code","detail",…}}\` on standard error, with the codes of [errors.md](errors.md). (\`serve\` logs
  JSON lines anyway, and \`completion\` prints a script.)
- **For people:** notes, warnings and progress go to standard error; \`--quiet\` leaves them out. Progress is drawn on a terminal alone; \`NO_COLOR\` takes the colours away.
- **JSON arguments** (a payload, a filter, a schema) are the text itself, \`@FILE\`, or \`-\` for standard input. \`publish -\` reads a stream of events as fast as the
  service takes them: one per line, an array, or a single one.
- **Ctrl-C** ends \`tail\`, \`publish -\` and \`events list --all\` in order; what is under way is still counted.

## How it ends
A number keeps its meaning.
`;

const COMPLETION = `
## Completion of words
\`\`\`sh
event-manager completion bash > ~/.local/share/bash-completion/completions/event-manager
event-manager completion zsh > ~/.zsh/completions/_event-manager   # a folder of $fpath
event-manager completion fish > ~/.config/fish/completions/event-manager.fish
\`\`\`
The scripts ask the command itself, so ids of subscriptions and declared topics are completed, too, while a service answers.

## Commands
`;
