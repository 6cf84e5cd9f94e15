/** What the address of an environment carries, read with care: anybody may write one. */
export interface EnvironmentSearch {
  /** The service that the map is drawn around; absent: all of it. */
  around?: string;
}

export function environmentSearch({ around }: Record<string, unknown>): EnvironmentSearch {
  return typeof around === "string" ? { around } : {};
}
