import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { Role } from "#api/endpoint.ts";
import { ask } from "../api/call.ts";
import { read } from "../api/read.ts";

export function useWho() {
  return useQuery(read("whoAmI", {}));
}

/** Why this person may not do it, in words; undefined where he may. */
export function useMayNot(): (allowed: readonly Role[]) => string | undefined {
  const role = useWho().data?.role;
  return (allowed) =>
    role === undefined || allowed.includes(role) ? undefined : `This needs one of the roles ${allowed.join(", ")}.`;
}

export type Credentials = { token: string } | { name: string; password: string };

export function useSession() {
  const queries = useQueryClient();
  return {
    async signIn(by: Credentials): Promise<void> {
      await ask("POST", "/api/session", { body: by });
      await queries.resetQueries();
    },
    async signOut(): Promise<void> {
      await ask("DELETE", "/api/session");
      await queries.resetQueries();
    },
  };
}
