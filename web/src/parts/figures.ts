/** Live figures as words; pure. */
export interface Figures {
  requests: number;
  failed: number;
  p95: number | null;
}

/** Requests a second. */
export function rateWords(requests: number): string {
  if (requests === 0) return "0 /s";
  if (requests < 0.1) return "< 0.1 /s";
  return `${requests < 10 ? requests.toFixed(1) : Math.round(requests)} /s`;
}

export function shareWords(share: number): string {
  const percent = share * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.1) return "< 0.1 %";
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

export function timeWords(p95: number | null): string {
  if (p95 === null) return "–";
  return p95 < 1000 ? `${p95} ms` : `${(p95 / 1000).toFixed(1)} s`;
}

/** Beyond this a share of failures is shown as trouble. */
const trouble = 0.01;

export function isTroubled({ requests, failed }: Figures): boolean {
  return requests > 0 && failed >= trouble;
}

/** All of them as one; the time is that of the slowest. */
export function sumOf(all: readonly Figures[]): Figures {
  const requests = all.reduce((sum, each) => sum + each.requests, 0);
  const failures = all.reduce((sum, each) => sum + each.failed * each.requests, 0);
  const times = all.flatMap(({ p95 }) => p95 ?? []);
  return {
    requests,
    failed: requests === 0 ? 0 : failures / requests,
    p95: times.length === 0 ? null : Math.max(...times),
  };
}
