/** Buildkite's `branches`: patterns apart by blanks, `*` for any characters, a leading `!` for "not". */

/** True when a positive pattern fits (or there is none) and no negative one does. */
export function matchesBranch(patterns: string, branch: string): boolean {
  const words = patterns.split(/\s+/).filter((word) => word !== "");
  const negative = words.filter((word) => word.startsWith("!")).map((word) => word.slice(1));
  const positive = words.filter((word) => !word.startsWith("!"));
  if (negative.some((pattern) => fits(pattern, branch))) return false;
  return positive.length === 0 || positive.some((pattern) => fits(pattern, branch));
}

/** Pieces between stars, each found as early as possible: linear, unlike a regular expression. */
function fits(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}
