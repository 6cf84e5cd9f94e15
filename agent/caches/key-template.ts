/** `deps-{{ checksum "package-lock.json" }}`: what a cache's key stands for in one checkout. */

export interface KeyFacts {
  branch: string;
  /** Digest of the files, in hexadecimal; undefined when one of them is missing. */
  checksum(files: readonly string[]): Promise<string | undefined>;
}

const slot = /\{\{\s*(.*?)\s*\}\}/g;

/** The key, or a sentence that says what is wrong with it. */
export async function expandKey(template: string, facts: KeyFacts): Promise<{ key: string } | { fault: string }> {
  const values: string[] = [];
  for (const [whole, inside = ""] of template.matchAll(slot)) {
    const value = await valueOf(inside, facts);
    if (value === undefined) return { fault: `${whole} in the cache's key ${faultOf(inside)}` };
    values.push(value);
  }
  let next = 0;
  return { key: template.replaceAll(slot, () => values[next++] ?? "") };
}

const checksumForm = /^checksum((\s+("[^"]+"|'[^']+'))+)$/;

async function valueOf(inside: string, { branch, checksum }: KeyFacts): Promise<string | undefined> {
  const files = checksumForm.exec(inside)?.[1];
  if (files) return checksum((files.match(/"[^"]+"|'[^']+'/g) ?? []).map((quoted) => quoted.slice(1, -1)));
  if (/^\.?branch$/i.test(inside)) return branch;
  if (/^(\.?arch|runner\.os|agent\.os|os)$/i.test(inside)) return `${process.platform}-${process.arch}`;
  return undefined;
}

function faultOf(inside: string): string {
  if (checksumForm.test(inside)) return "names a file that the repository does not have";
  return 'is not known; there are {{ checksum "file" }}, {{ branch }} and {{ arch }}';
}

/** Whether the key tells the content: what is there under it need not be written again. */
export const tellsContent = (template: string): boolean => /\{\{\s*checksum/.test(template);
