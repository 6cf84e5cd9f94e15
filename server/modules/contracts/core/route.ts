/** Paths of the broker: split as they came, then decoded, so that a name may hold a slash. */

export interface Matched<T> {
  row: T;
  params: Record<string, string>;
}

/** The decoded segments of a raw path; undefined when one is not valid. Empty ones mean nothing. */
export function segmentsOf(path: string): string[] | undefined {
  try {
    const segments = path.split("/").filter(Boolean).map(decodeURIComponent);
    return segments.every(isName) ? segments : undefined;
  } catch {
    return undefined;
  }
}

/** What may stand in a path or serve as a name: text of a sensible length that a terminal, a log and a database can take. */
export function isName(text: unknown): text is string {
  return (
    typeof text === "string" && text.trim() !== "" && text.length <= 2000 && !hasControl(text) && text.isWellFormed()
  );
}

const hasControl = (text: string) => /[\p{Cc}\u2028\u2029]/u.test(text);

/** The row whose path, such as `/pacticipants/:name`, fits; words go before parameters. */
export function findRoute<T extends { path: string }>(
  rows: readonly T[],
  segments: readonly string[],
): Matched<T> | undefined {
  const matches = rows.flatMap((row) => {
    const pattern = row.path.split("/").filter(Boolean);
    if (pattern.length !== segments.length) return [];
    const fits = pattern.every((part, index) => part.startsWith(":") || part === segments[index]);
    const named = pattern.flatMap((part, index): [string, string][] =>
      part.startsWith(":") ? [[part.slice(1), segments[index] ?? ""]] : [],
    );
    const rank = pattern.map((part) => (part.startsWith(":") ? "1" : "0")).join("");
    return fits ? [{ row, params: Object.fromEntries(named), rank }] : [];
  });
  return matches.toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0))[0];
}
