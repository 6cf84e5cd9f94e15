/** Who calls: a platform token by Basic or Bearer, or a signed token of the registry's own. */
import type { IncomingMessage } from "node:http";
import type { Access } from "#access";
import { isRefusal } from "#api/errors.ts";
import { type Fault, fault } from "../core/fault.ts";
import { type Action, claimed, mayDo } from "../core/rights.ts";
import { addressOf } from "#kernel/address.ts";
import { type BearerTokens, looksSigned, service } from "./bearer.ts";
import type { Caller } from "./call.ts";

export interface Need {
  repository: string;
  action: Action;
}

export interface Authentication {
  /** The caller who may do what is needed (nothing in particular without a need), or the fault to answer. */
  admit(request: IncomingMessage, need?: Need): Promise<Caller | Fault>;
}

interface Deps {
  access: Pick<Access, "authenticate">;
  tokens: BearerTokens;
  publicUrl: string | undefined;
}

/** Docker asks for both at once; pushing includes looking at what is there already. */
const scopeActions: Record<Action, string> = { pull: "pull", push: "pull,push", delete: "delete" };

export function createAuthentication({ access, tokens, publicUrl }: Deps): Authentication {
  function unauthorized(request: IncomingMessage, message: string, more: { need?: Need; error?: string }): Fault {
    const parts = [`realm="${addressOf(request, publicUrl)}/v2/token"`, `service="${service}"`];
    if (more.need) parts.push(`scope="repository:${more.need.repository}:${scopeActions[more.need.action]}"`);
    if (more.error) parts.push(`error="${more.error}"`, `error_description="${message}"`);
    const headers = { "www-authenticate": `Bearer ${parts.join(",")}` };
    return fault(more.error === "insufficient_scope" ? "DENIED" : "UNAUTHORIZED", message, { status: 401, headers });
  }

  function admitSigned(request: IncomingMessage, token: string, need?: Need): Caller | Fault {
    const bearer = tokens.read(token);
    const more = need ? { need } : {};
    if (!bearer) return unauthorized(request, "the token is not valid any more", { ...more, error: "invalid_token" });
    const may: Caller["may"] = (repository, action) => claimed(bearer.claims, repository, action);
    if (!need || may(need.repository, need.action)) return { name: bearer.subject, may };
    return unauthorized(request, `you may not ${need.action} ${need.repository}`, {
      need,
      error: "insufficient_scope",
    });
  }

  return {
    async admit(request, need) {
      const { authorization } = request.headers;
      const [, signed = ""] = /^bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
      if (looksSigned(signed)) return admitSigned(request, signed, need);
      const principal = await access.authenticate(authorization);
      const more = need ? { need } : {};
      if (!principal) return unauthorized(request, "a token is needed: docker login", more);
      if (isRefusal(principal)) return unauthorized(request, principal.message, more);
      const may: Caller["may"] = (repository, action) => mayDo(principal, repository, action);
      if (!need || may(need.repository, need.action)) return { name: principal.name, may };
      return fault("DENIED", `you may not ${need.action} ${need.repository}`);
    },
  };
}
