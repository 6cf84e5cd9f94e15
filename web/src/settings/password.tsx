import { Group, PasswordInput, Stack, Text, VisuallyHidden } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call } from "../api/call.ts";
import { useActing } from "../parts/acting.ts";
import { GuardedButton } from "../parts/guarded-button.tsx";
import { TimeAgo } from "../parts/time-ago.tsx";
import { useWho } from "../session/session.ts";

interface Props {
  name: string;
  setAt: string | null;
  /** Called once it is set. */
  done?(): void;
}

/** Sets one's own password, for which the old one is asked, or as admin another's. */
export function Password({ name, setAt, done }: Props) {
  const own = useWho().data?.name === name;
  const [old, setOld] = useState(own && setAt !== null ? "" : undefined);
  const [password, setPassword] = useState("");
  const queries = useQueryClient();
  const acting = useActing();
  const set = async () => {
    const { sessionsEnded } = await call("setPassword", { params: { name }, body: { password, oldPassword: old } });
    setOld(own ? "" : undefined);
    setPassword("");
    tellSet(name, sessionsEnded);
    await queries.invalidateQueries();
    done?.();
  };
  const mayNot = whyNot(password, old);
  const press = () => acting.mutate({ what: "set", run: set });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mayNot === undefined) press();
  };
  return (
    <Stack component="form" gap="sm" maw={420} onSubmit={submit}>
      <Since setAt={setAt} />
      <VisuallyHidden>
        {/* By which browsers know whose password it is that they keep. */}
        <input type="text" autoComplete="username" tabIndex={-1} aria-hidden value={name} readOnly />
      </VisuallyHidden>
      {old !== undefined && (
        <PasswordInput
          label="Password that you have now"
          autoComplete="current-password"
          value={old}
          onChange={({ currentTarget }) => setOld(currentTarget.value)}
        />
      )}
      <PasswordInput
        label="New password"
        description="12 characters or more. Other browsers are signed out; tokens stay."
        autoComplete="new-password"
        value={password}
        onChange={({ currentTarget }) => setPassword(currentTarget.value)}
      />
      <Group>
        <GuardedButton mayNot={mayNot} loading={acting.isPending} onPress={press}>
          Set password
        </GuardedButton>
      </Group>
    </Stack>
  );
}

function Since({ setAt }: Pick<Props, "setAt">) {
  return (
    <Text size="sm" c="dimmed">
      {setAt ? (
        <>
          Set <TimeAgo at={setAt} />
        </>
      ) : (
        "None yet: a token is the only way in."
      )}
    </Text>
  );
}

function tellSet(name: string, ended: number): void {
  const others = ended === 1 ? "One other browser is" : `${ended} other browsers are`;
  notifications.show({
    color: "teal",
    title: `The password of ${name} is set`,
    message: ended === 0 ? "It counts at once." : `${others} signed out.`,
  });
}

/** As the server does, which has the last word. */
function whyNot(password: string, old: string | undefined): string | undefined {
  if (old === "") return "Write the password that you have now first.";
  return password.length < 12 ? "A password has 12 characters or more." : undefined;
}
