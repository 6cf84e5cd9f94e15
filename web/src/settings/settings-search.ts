export const settingsViews = ["you", "people", "agents", "storage", "health"] as const;
export type SettingsView = (typeof settingsViews)[number];

export interface SettingsSearch {
  /** Absent: you. */
  view?: SettingsView;
}

export function settingsSearch({ view }: Record<string, unknown>): SettingsSearch {
  const known = settingsViews.find((each) => each === view);
  return known && known !== "you" ? { view: known } : {};
}
