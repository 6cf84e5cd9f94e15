/** The broker of contracts, played for an agent's bed, and how a job asks it with what the bed's image has. */
import type { FastifyInstance } from "fastify";

export interface Asked {
  url: string;
  authorization: string | undefined;
}

/** Answers whatever it is asked by the path, and notes who asked. */
export function playBroker(asked: Asked[]): (app: FastifyInstance) => void {
  return (app) => {
    app.get("/pact/*", ({ url, headers }) => {
      asked.push({ url, authorization: headers.authorization });
      return { answered: url };
    });
  };
}

/** A command that asks for the path where the job's variables say that the broker is, and shows the whole answer. */
export const askBroker = (path: string, token = "$PACT_BROKER_TOKEN") =>
  `bash -c 'place=\${PACT_BROKER_BASE_URL#http://}; place=\${place%/pact}; exec 3<>/dev/tcp/\${place%:*}/\${place#*:}; ` +
  `printf "GET ${path.replaceAll("%", "%%")} HTTP/1.1\\r\\nHost: $place\\r\\nAuthorization: Bearer ${token}\\r\\nConnection: close\\r\\n\\r\\n" >&3; cat <&3'`;
