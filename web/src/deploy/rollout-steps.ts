const forward = ["plan", "prepare", "pull", "migrate", "start", "probe", "swap", "drain", "end", "observe", "hold"];
const last = ["watch", "verify", "stop", "done"];
const way = [...forward, ...last];

/** Whether there is traffic that has not moved yet, so that it can be held back. */
export function canPause(phase: string | null): boolean {
  return forward.includes(phase ?? "plan");
}

/** How far along, in percent of the steps and not of the time; `back`: it goes back to the release before. */
export function stepOf(phase: string | null): { percent: number; back: boolean } {
  const at = way.indexOf(phase ?? "plan");
  return at === -1 ? { percent: 100, back: true } : { percent: Math.round(((at + 1) / way.length) * 100), back: false };
}
