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

export function migrationName(deployment: Named): string {
  return `${prefix(deployment)}-migrate`;
}

function prefix({ id, service, environment, release }: Named): string {
  return `${service}-${environment}-r${release}-${id.slice(0, 8)}`;
}
