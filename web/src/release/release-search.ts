export interface ReleaseSearch {
  /** Text of the packages that are wanted. */
  find?: string;
}

export function releaseSearch({ find }: Record<string, unknown>): ReleaseSearch {
  // An address may say `?find=7`, which is read as a number.
  const text = typeof find === "string" || typeof find === "number" ? String(find).slice(0, 200) : "";
  return text ? { find: text } : {};
}
