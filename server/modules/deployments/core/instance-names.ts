interface Named {
  id: string;
  service: string;
  environment: string;
  release: number;
}

/** Names of a deployment's containers: told from the deployment alone, so that whoever resumes it finds them. */
export function instanceNames(deployment: Named, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix(deployment)}-${index + 1}`);
}

/** Names for more instances of a deployment that has these: the lowest that are free. */
export function moreNames(deployment: Named, taken: readonly string[], count: number): string[] {
  const free = instanceNames(deployment, taken.length + count).filter((name) => !taken.includes(name));
  return free.slice(0, count);
}

export function migrationName(deployment: Named): string {
  return `${prefix(deployment)}-migrate`;
}

function prefix({ id, service, environment, release }: Named): string {
  return `${service}-${environment}-r${release}-${id.slice(0, 8)}`;
}
