/** The commands of a step as text for a shell. */

/** Shows each command before it runs, as people expect of a build log. In one stream, whose order is the same however often it is read. */
export function scriptOf(commands: readonly string[]): string {
  return ["exec 2>&1", ...commands.map((command) => `printf '%s\\n' ${quote(`$ ${command}`)}\n${command}`)].join("\n");
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
