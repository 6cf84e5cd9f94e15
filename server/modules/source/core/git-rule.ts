/** Who may do what over Git: every user reads, developers push, a job reads what its grants name, an agent nothing by itself. */
import { developing } from "#api/endpoint.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Principal } from "#kernel/http.ts";

export type GitService = "git-upload-pack" | "git-receive-pack";

/** Why this caller may not use the service, or undefined. */
export function gitDenied(
  principal: Principal | undefined,
  service: GitService,
  repository: string,
): Refusal | undefined {
  if (!principal)
    return refuse("auth.required", "this needs a token as the password; any user name will do", {
      fix: "Run `towline login`, or make a token with `POST /api/tokens`.",
    });
  if (service === "git-receive-pack") return pushDenied(principal);
  if (principal.kind === "user") return undefined;
  const granted = principal.kind === "job" && Object.hasOwn(principal.grants.repositories, repository);
  if (granted && principal.grants.repositories[repository]?.includes("pull")) return undefined;
  return refuse("auth.forbidden", `this token does not reach the repository ${repository}`);
}

function pushDenied(principal: Principal): Refusal | undefined {
  if (principal.kind !== "user") return refuse("auth.forbidden", "only users push; jobs and agents read");
  if (developing.includes(principal.role)) return undefined;
  return refuse(
    "auth.forbidden",
    `pushing needs one of the roles ${developing.join(", ")}; yours is ${principal.role}`,
  );
}
