/** What can be shown of a file, by its name: what a job says of its type is not to be trusted. */
export type Kind = "text" | "picture" | "svg" | "page" | "other";

const kinds: Record<Exclude<Kind, "other">, RegExp> = {
  picture: /\.(png|jpe?g|gif|webp)$/i,
  svg: /\.svg$/i,
  page: /\.html?$/i,
  text: /\.(txt|log|md|json|ya?ml|xml|csv|tsv|toml|ini|conf|diff|patch|lcov|sql|sh|[cm]?[jt]sx?|go|rs|py|rb|java|kt|cs|php|css)$|(^|\/)(Dockerfile|Makefile|LICENSE|README)$/i,
};

export function kindOf(path: string): Kind {
  for (const [kind, pattern] of Object.entries(kinds)) if (pattern.test(path)) return kind as Kind;
  return "other";
}

/** Bytes that are shown of a file; the rest is in the download. */
export const mostShown = 512 * 1024;

/** `17 bytes`, `3.4 KiB`. */
export function sizeIn(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const units = ["KiB", "MiB", "GiB"];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  const value = bytes / 1024 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power - 1]}`;
}
