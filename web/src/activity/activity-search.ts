/** What the address of the activity carries, read with care: anybody may write one. */
export interface ActivitySearch {
  /** The beginning of an event's name. */
  event?: string;
  person?: string;
}

export function activitySearch({ event, person }: Record<string, unknown>): ActivitySearch {
  return { ...(typeof event === "string" ? { event } : {}), ...(typeof person === "string" ? { person } : {}) };
}
