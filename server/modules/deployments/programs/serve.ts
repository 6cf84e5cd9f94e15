/** `GET /api/programs/:service/:environment`, a WebSocket: what is said over it is in `api/programs.ts`. */
import type { FastifyInstance } from "fastify";
import { anyRole } from "#api/endpoint.ts";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { environmentName, serviceName } from "#api/names.ts";
import { checkRule, type HttpDeps } from "#kernel/http.ts";
import { serveSocket } from "#kernel/socket.ts";
import type { World } from "../steps/step.ts";
import type { Place } from "../store.ts";
import { type Person, whyNot } from "./begin.ts";
import { type Caller, runSession } from "./session.ts";

type Http = Pick<HttpDeps, "authenticate" | "stopping">;

export function servePrograms(app: FastifyInstance, world: World, { authenticate, stopping }: Http): void {
  const personBy = async (authorization: string | undefined): Promise<Person | Refusal> => {
    const principal = await authenticate(authorization);
    if (isRefusal(principal)) return principal;
    const denied = checkRule({ roles: anyRole }, principal);
    if (denied) return denied;
    return principal as Person;
  };
  serveSocket(app, {
    path: "/api/programs/",
    async admit(request, rest): Promise<Caller | Refusal | undefined> {
      const place = placeOf(rest);
      if (!place) return undefined;
      // Of a browser's cookie nothing is known here: a page of another address must not open a shell.
      const { authorization } = request.headers;
      const person = await personBy(authorization);
      if (isRefusal(person)) return person;
      const doubt = async () => {
        const now = await personBy(authorization);
        return isRefusal(now) ? now : whyNot(await world.fleet.environment(place.environment), place, now);
      };
      return { place, person, doubt };
    },
    open: (socket, caller) => runSession({ world, socket, caller, stopping }),
  });
}

function placeOf(rest: string): Place | undefined {
  const [service = "", environment = "", more] = rest.split("/");
  const known = serviceName.safeParse(service).success && environmentName.safeParse(environment).success;
  return known && more === undefined ? { service, environment } : undefined;
}
