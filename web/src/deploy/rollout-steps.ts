const forward = ["plan", "prepare", "pull", "migrate", "start", "probe", "swap", "drain", "end", "observe", "hold"];
const last = ["watch", "verify", "stop", "done"];
const way = [...forward, ...last];

const words: Record<string, string> = {
  plan: "planning",
  prepare: "preparing the network",
  pull: "fetching the image",
  migrate: "running the migration",
  start: "starting instances",
  probe: "waiting for health",
  swap: "moving traffic",
  drain: "draining the old ones",
  end: "ending the old ones",
  observe: "looking at its traffic",
  hold: "waiting for somebody to promote it",
  watch: "watching",
  verify: "seeing what serves",
  stop: "stopping the old ones",
  restore: "bringing the release before back",
  return: "moving traffic back",
  withdraw: "draining the new ones",
  recede: "ending the new ones",
  remove: "removing the new ones",
  keep: "keeping the release before",
  done: "done",
};

export function stepWords(phase: string | null): string {
  return words[phase ?? ""] ?? "beginning";
}

/** Whether there is traffic that has not moved yet, so that it can be held back. */
export function canPause(phase: string | null): boolean {
  return forward.includes(phase ?? "plan");
}

/** How far along, in percent of the steps and not of the time; `back`: it goes back to the release before. */
export function stepOf(phase: string | null): { percent: number; back: boolean } {
  const at = way.indexOf(phase ?? "plan");
  return at === -1 ? { percent: 100, back: true } : { percent: Math.round(((at + 1) / way.length) * 100), back: false };
}
