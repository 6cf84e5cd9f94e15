const story = /(?<![A-Za-z0-9_&/#-])(?:[A-Z][A-Z0-9]{1,9}-\d{1,6}|#\d{1,6})(?![A-Za-z0-9_-])/g;

/** Stories that a commit message names, such as `SHOP-123` or `#12`, each once in the order of the text. */
export function storyNames(message: string): string[] {
  return [...new Set(message.slice(0, 2000).match(story))];
}
