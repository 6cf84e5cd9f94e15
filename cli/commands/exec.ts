/** A program inside of an instance, with this terminal's input and output as its own. */
import { once } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { isRefusal, refuse } from "#api/errors.ts";
import { type ProgramCall, type ProgramEnded, runProgram } from "#client/programs.ts";
import { CommandRefused, paint, printJson, tell } from "../output.ts";
import { readSession, type SessionFlags } from "../session.ts";

interface Flags extends SessionFlags {
  json?: boolean;
  instance?: string;
  reason?: string;
  /** False with `--no-terminal`. */
  terminal?: boolean;
}

export async function exec(flags: Flags, service: string, environment: string, words: string[]): Promise<void> {
  const { json = false, reason = "", instance } = flags;
  if (reason.trim().length < 3)
    throw new CommandRefused(
      refuse("request.invalid", "say why: what you run by hand is kept in the audit log", {
        fix: 'Add `--reason "…"`, in 3 characters or more.',
      }),
    );
  const { stdin, stdout } = process;
  const onTerminal = !json && flags.terminal !== false && stdin.isTTY && stdout.isTTY;
  const size = () => ({ columns: stdout.columns, rows: stdout.rows });
  const call: ProgramCall = {
    ...{ service, environment, input: stdin },
    asked: {
      ...{ command: words.length > 0 ? words : ["sh"], reason },
      ...(instance === undefined ? {} : { instance }),
      ...(onTerminal ? { terminal: size() } : {}),
    },
    ...(onTerminal ? { onResize: (told) => void stdout.on("resize", () => told(size())) } : {}),
  };
  const ended = await runProgram(await readSession(flags), call, {
    begun(name, until) {
      if (onTerminal) stdin.setRawMode(true);
      if (json) printJson({ begun: { instance: name, until } });
      else if (onTerminal) tell(paint("dim", `in ${name}, until ${until} at the latest`, process.stderr));
    },
    output: json ? asLines() : write,
  }).finally(() => {
    if (onTerminal) stdin.setRawMode(false);
    stdin.destroy();
  });
  if (isRefusal(ended)) throw new CommandRefused(ended);
  finish(ended, json);
}

function finish({ end, exitCode, reason }: ProgramEnded, json: boolean): void {
  if (json) printJson({ ended: { end, exitCode, reason } });
  if (exitCode === null) throw new CommandRefused(refuse("exec.failed", reason ?? "the program was ended"));
  process.exitCode = exitCode;
}

async function write(bytes: Uint8Array, isError: boolean): Promise<void> {
  const to = isError ? process.stderr : process.stdout;
  if (!to.write(bytes)) await once(to, "drain");
}

/** A line of JSON for each piece, as text. */
function asLines() {
  const decoders = { output: new StringDecoder(), errors: new StringDecoder() };
  return async (bytes: Uint8Array, isError: boolean) => {
    const stream = isError ? "errors" : "output";
    const text = decoders[stream].write(Buffer.from(bytes));
    if (text !== "") printJson({ [stream]: text });
  };
}
