/** The commands of a step as text for a shell. */

/** Where a job's shells look for changes of its variables, as the container sees it; there once something has changed. */
const changesFile = "/towline/job/variables.sh";

/** A line for a shell between two commands: takes up what `env set` and `env unset` have changed since the last time. */
export const takeUpChanges = `[ ! -f ${changesFile} ] || . ${changesFile}`;

/** Shows each command before it runs, as people expect of a build log. In one stream, whose order is the same however often it is read. */
export function scriptOf(commands: readonly string[]): string {
  const shown = commands.map((command) => `${takeUpChanges}\nprintf '%s\\n' ${quote(`$ ${command}`)}\n${command}`);
  return ["exec 2>&1", ...shown].join("\n");
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
