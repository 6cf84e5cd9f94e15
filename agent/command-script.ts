/** The commands of a step as text for a shell. */

/** Where a job's shells look for changes of its variables, as the container sees it; there once something has changed. */
const changesFile = "/towline/job/variables.sh";

/** A line for a shell between two commands: takes up what `env set` and `env unset` have changed since the last time. */
export const takeUpChanges = `[ ! -f ${changesFile} ] || . ${changesFile}`;

/** A shell's first line: what it and its commands say keeps the order in which they said it, which two streams lose. */
export const inOneStream = "exec 2>&1";

/** Shows each command before it runs, as people expect of a build log. */
export function scriptOf(commands: readonly string[]): string {
  const shown = commands.map((command) => `${takeUpChanges}\nprintf '%s\\n' ${quote(`$ ${command}`)}\n${command}`);
  return [inOneStream, ...shown].join("\n");
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
