/** What the addresses of these pages carry. */
export const states = ["open", "merged", "closed"] as const;
export const people = ["author", "reviewer"] as const;
export const views = ["overview", "changes", "commits"] as const;

export interface ListSearch {
  /** Absent: open ones. */
  state?: (typeof states)[number] | "all";
  of?: (typeof people)[number];
  repository?: string;
}

export interface PageSearch {
  /** Absent: the overview. */
  view?: (typeof views)[number];
  /** Path of the file to go to. */
  file?: string;
}

export function listSearch({ state, of, repository }: Record<string, unknown>): ListSearch {
  return {
    ...(isOneOf([...states, "all"] as const, state) && state !== "open" ? { state } : {}),
    ...(isOneOf(people, of) ? { of } : {}),
    ...(typeof repository === "string" ? { repository } : {}),
  };
}

export function pageSearch({ view, file }: Record<string, unknown>): PageSearch {
  return {
    ...(isOneOf(views, view) && view !== "overview" ? { view } : {}),
    ...(typeof file === "string" ? { file } : {}),
  };
}

function isOneOf<T extends string>(all: readonly T[], value: unknown): value is T {
  return all.some((each) => each === value);
}
