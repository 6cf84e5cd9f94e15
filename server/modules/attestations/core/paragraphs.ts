/** Reads `Name: value` lines; a line that begins with a space goes on with the one before. Names are in lower case, the first counts. */
export function fieldsOf(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let values: string[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      const last = values.pop();
      if (last !== undefined) values.push(`${last}\n${line.trim()}`);
      continue;
    }
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const name = line.slice(0, at).toLowerCase();
    values = fields.get(name) ?? [];
    fields.set(name, values);
    values.push(line.slice(at + 1).trim());
  }
  return fields;
}

/** Lines between blank lines. */
export function* paragraphsOf(text: string): Generator<string[]> {
  let lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() !== "") lines.push(line);
    else if (lines.length > 0) {
      yield lines;
      lines = [];
    }
  }
  if (lines.length > 0) yield lines;
}

/** First value under the name, or empty. */
export const first = (fields: Map<string, string[]>, name: string): string => fields.get(name)?.[0] ?? "";
