import { type ActivityKind, activityKinds } from "#api/activity-kinds.ts";

/** What the address of the activity carries, read with care: anybody may write one. */
export interface ActivitySearch {
  /** Absent: all. */
  kind?: ActivityKind;
  /** The beginning of an event's name. */
  event?: string;
  person?: string;
}

export function activitySearch({ kind, event, person }: Record<string, unknown>): ActivitySearch {
  const known = activityKinds.find((each) => each === kind);
  return {
    ...(known ? { kind: known } : {}),
    ...(typeof event === "string" ? { event } : {}),
    ...(typeof person === "string" ? { person } : {}),
  };
}
