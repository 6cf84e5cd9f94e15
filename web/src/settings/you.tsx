import { Stack } from "@mantine/core";
import { Section } from "../parts/section.tsx";
import { useWho } from "../session/session.ts";
import { Password } from "./password.tsx";
import { Tokens } from "./tokens.tsx";

/** By what one comes in: password and tokens. */
export function You() {
  const who = useWho().data;
  return (
    <Stack gap="xl">
      <Section title="Tokens" about="What your programs and browsers come in with.">
        <Tokens />
      </Section>
      {who && (
        <Section title="Password" about="For signing in here, beside tokens.">
          <Password name={who.name} setAt={who.passwordSetAt} />
        </Section>
      )}
    </Stack>
  );
}
