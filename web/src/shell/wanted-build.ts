/** The build that is meant by `orders 12` or `orders #12`; undefined where the words mean no single build. */
export function wantedBuild(text: string): { repository: string; number: number } | undefined {
  const [, repository, number] = /^\s*([a-z0-9][a-z0-9._-]*)\s*[ #]\s*#?(\d{1,9})\s*$/.exec(text) ?? [];
  return repository && Number(number) > 0 ? { repository, number: Number(number) } : undefined;
}
