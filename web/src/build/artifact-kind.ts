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
