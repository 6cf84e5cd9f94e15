import { createClock } from "./clock.ts";

const useNow = createClock(1_000);

/** How long something took, or has taken so far. */
export function Duration({ from, to }: { from: string; to: string | null }) {
  return to === null ? <Running from={from} /> : <>{lengthOf(Date.parse(to) - Date.parse(from))}</>;
}

function Running({ from }: { from: string }) {
  const now = useNow();
  return <>{lengthOf(Math.max(0, now - Date.parse(from)))}</>;
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function lengthOf(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
