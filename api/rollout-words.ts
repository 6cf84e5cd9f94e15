/** What a rollout does in each of its phases, for people. */
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
