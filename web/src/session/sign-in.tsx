import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useSession } from "./session.ts";

export function SignIn() {
  const { signIn } = useSession();
  const [token, setToken] = useState("");
  const entering = useMutation({ mutationFn: signIn });
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper
        component="form"
        withBorder
        p="xl"
        w={420}
        onSubmit={(event) => {
          event.preventDefault();
          entering.mutate(token.trim());
        }}
      >
        <Stack>
          <img src="/towline.svg" width={40} height={40} alt="" />
          <Title order={1} size="h3">
            Sign in to Towline
          </Title>
          <PasswordInput
            label="Token"
            name="token"
            placeholder="tw_…"
            autoComplete="current-password"
            data-autofocus
            required
            value={token}
            onChange={({ currentTarget }) => setToken(currentTarget.value)}
          />
          {entering.error && (
            <Alert color="red" role="alert">
              {entering.error.message}
            </Alert>
          )}
          <Button type="submit" loading={entering.isPending}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            The first start of the server printed the admin's token. Everybody else gets theirs from an admin.
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}
