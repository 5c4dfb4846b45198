// @keycloak/keycloak-admin-client, unchanged: offline sessions seen, counted and ended; consents; everybody logged out.
// Usage: node admin.mjs BASE; ends with code 0 if all of it held.
import assert from "node:assert/strict";
import KeycloakAdminClient from "@keycloak/keycloak-admin-client";

const base = process.argv[2];
const realm = "demo";

async function token(form, client = "demo-backup") {
  const answer = await fetch(`${base}/realms/${realm}/protocol/openid-connect/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
    body: new URLSearchParams(form),
  });
  return { status: answer.status, ...(await answer.json()) };
}
const signIn = () =>
  token({ grant_type: "password", username: "alice", password: "alice", scope: "openid offline_access" });
const refresh = (tokens) => token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });

const admin = new KeycloakAdminClient({ baseUrl: base, realmName: "master" });
await admin.auth({ grantType: "password", clientId: "admin-cli", username: "admin", password: "admin" });
admin.setConfig({ realmName: realm });

const [client] = await admin.clients.find({ clientId: "demo-backup" });
const [user] = await admin.users.find({ username: "alice", exact: true });
const count = async () => (await admin.clients.getOfflineSessionCount({ id: client.id })).count;

const first = await signIn();
const second = await signIn();
assert.equal(await count(), 2);
const sessions = await admin.users.listOfflineSessions({ id: user.id, clientId: client.id });
assert.deepEqual(sessions.map((session) => session.id).sort(), [first.session_state, second.session_state].sort());
assert.equal((await admin.clients.listOfflineSessions({ id: client.id, first: 0, max: 1 })).length, 1);
const stats = await admin.realms.getClientSessionStats({ realm });
assert.equal(stats.find((line) => line.clientId === "demo-backup").offline, "2");

await admin.realms.deleteSession({ realm, session: first.session_state, isOffline: true });
assert.equal((await refresh(first)).error, "invalid_grant");
assert.equal((await refresh(second)).status, 200, "the other one goes on");

const consents = await admin.users.listConsents({ id: user.id });
const ours = consents.find((consent) => consent.clientId === "demo-backup");
assert.equal(ours.additionalGrants[0].key, "Offline Token");
await admin.users.revokeConsent({ id: user.id, clientId: "demo-backup" });
assert.equal((await refresh(second)).error, "invalid_grant");
assert.equal(await count(), 0);

const third = await signIn();
await admin.users.logout({ id: user.id });
assert.equal(await count(), 1, "a logout leaves the offline session");
assert.deepEqual(await admin.realms.pushRevocation({ realm }), {});
await admin.realms.logoutAll({ realm });
assert.equal((await refresh(third)).error, "invalid_grant");
assert.equal(await count(), 0);
