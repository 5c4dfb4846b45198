// @keycloak/keycloak-admin-client, unchanged: a realm from its making to its end, with tokens that show what was made.
// Usage: node realm.mjs BASE; ends with code 0 if all of it held.
import assert from "node:assert/strict";
import KeycloakAdminClient from "@keycloak/keycloak-admin-client";

const base = process.argv[2];
const realm = "shop";
const admin = new KeycloakAdminClient({ baseUrl: base, realmName: "master" });
async function signInFor(realmName) {
  admin.setConfig({ realmName: "master" });
  await admin.auth({ grantType: "password", clientId: "admin-cli", username: "admin", password: "admin" });
  admin.setConfig({ realmName });
}
await signInFor("master");

await admin.realms.create({ realm, enabled: true, displayName: "Shop", accessTokenLifespan: 120 });
await signInFor(realm); // the token of before does not list the roles of the new realm
assert.equal((await admin.realms.findOne({ realm })).displayName, "Shop");
await admin.realms.update({ realm }, { displayName: "The Shop" });
const fresh = await admin.realms.findOne({ realm });
assert.deepEqual([fresh.displayName, fresh.accessTokenLifespan], ["The Shop", 120]);

// Clients, with a secret that is made anew and one that is read.
const { id: client } = await admin.clients.create({
  clientId: "till",
  secret: "s3cret",
  directAccessGrantsEnabled: true,
  serviceAccountsEnabled: true,
  redirectUris: ["https://till.example/*"],
});
assert.equal((await admin.clients.getClientSecret({ id: client })).value, "s3cret");
const secret = (await admin.clients.generateNewClientSecret({ id: client })).value;
assert.notEqual(secret, "s3cret");
await admin.clients.update({ id: client }, { clientId: "till", description: "at the door" });
assert.equal((await admin.clients.findOne({ id: client })).description, "at the door");
assert.equal((await admin.clients.getServiceAccountUser({ id: client })).username, "service-account-till");

// A scope with a mapper, given to the client.
const { id: scope } = await admin.clientScopes.create({ name: "shelf", protocol: "openid-connect" });
await admin.clientScopes.addProtocolMapper(
  { id: scope },
  {
    name: "shelf",
    protocol: "openid-connect",
    protocolMapper: "oidc-usermodel-attribute-mapper",
    config: { "user.attribute": "shelf", "claim.name": "shelf", "access.token.claim": "true", "jsonType.label": "String" },
  },
);
assert.equal((await admin.clientScopes.listProtocolMappers({ id: scope })).length, 1);
await admin.clients.addDefaultClientScope({ id: client, clientScopeId: scope });
assert((await admin.clients.listDefaultClientScopes({ id: client })).some((one) => one.name === "shelf"));

// Roles: of the realm, of the client, and one that holds the other.
await admin.roles.create({ name: "keeper", description: "keeps" });
await admin.clients.createRole({ id: client, name: "opens" });
const keeper = await admin.roles.findOneByName({ name: "keeper" });
const opens = await admin.clients.findRole({ id: client, roleName: "opens" });
await admin.roles.createComposite({ roleId: keeper.id }, [opens]);
assert.deepEqual((await admin.roles.getCompositeRoles({ id: keeper.id })).map((one) => one.name), ["opens"]);

// Groups, one below the other; the lower one gives the role.
const { id: staff } = await admin.groups.create({ name: "staff" });
const { id: night } = await admin.groups.createChildGroup({ id: staff }, { name: "night" });
await admin.groups.addRealmRoleMappings({ id: night, roles: [{ id: keeper.id, name: "keeper" }] });
assert.equal((await admin.groups.listSubGroups({ parentId: staff }))[0].path, "/staff/night");

// Users, found in each way.
const profile = await admin.users.getProfile();
await admin.users.updateProfile({ ...profile, unmanagedAttributePolicy: "ENABLED" });
const names = ["ada", "bea", "cleo"];
const ids = {};
for (const username of names) {
  const user = { username, email: `${username}@example.org`, firstName: username, lastName: "Example", enabled: true };
  ids[username] = (await admin.users.create({ ...user, attributes: { shelf: [username] } })).id;
}
await admin.users.resetPassword({ id: ids.ada, credential: { type: "password", value: "ada", temporary: false } });
await admin.users.addToGroup({ id: ids.ada, groupId: night });
assert.equal(await admin.users.count(), 3);
const found = async (query) => (await admin.users.find(query)).map((one) => one.username);
assert.deepEqual(await found({ search: "example", first: 1, max: 1 }), ["bea"]);
assert.deepEqual(await found({ q: "shelf:cleo" }), ["cleo"]);
assert.deepEqual(await found({ email: "ada@example.org", exact: true }), ["ada"]);
assert.deepEqual((await admin.groups.listMembers({ id: night })).map((one) => one.username), ["ada"]);
assert.deepEqual((await admin.users.listGroups({ id: ids.ada })).map((one) => one.path), ["/staff/night"]);
await assert.rejects(admin.users.create({ username: "ada" }), (error) => error.response.status === 409);

// A token shows all of it.
const answer = await fetch(`${base}/realms/${realm}/protocol/openid-connect/token`, {
  method: "POST",
  headers: { authorization: `Basic ${btoa(`till:${secret}`)}` },
  body: new URLSearchParams({ grant_type: "password", username: "ada", password: "ada", scope: "openid offline_access" }),
});
assert.equal(answer.status, 200);
const tokens = await answer.json();
const claims = JSON.parse(atob(tokens.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
assert.equal(claims.shelf, "ada");
assert(claims.realm_access.roles.includes("keeper"));
assert.deepEqual(claims.resource_access.till.roles, ["opens"]);
assert.equal((await admin.users.listOfflineSessions({ id: ids.ada, clientId: client })).length, 1);

// A file of it is taken in again under another name.
const file = await admin.realms.export({ realm, exportClients: true, exportGroupsAndRoles: true });
assert(file.clients.some((one) => one.clientId === "till" && one.secret === "**********"));
const withoutIds = (value) =>
  Array.isArray(value)
    ? value.map(withoutIds)
    : value && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value).flatMap(([key, inner]) => (["id", "containerId"].includes(key) ? [] : [[key, withoutIds(inner)]])),
        )
      : value;
await admin.realms.create({ ...withoutIds(file), realm: "shop-copy" });
await signInFor("shop-copy");
assert((await admin.groups.find({ search: "night" }))[0].subGroups.some((one) => one.name === "night"));
assert.equal((await admin.clients.find({ clientId: "till" })).length, 1);

// And away with it.
admin.setConfig({ realmName: realm });
await admin.users.del({ id: ids.cleo });
assert.equal(await admin.users.count(), 2);
await admin.groups.del({ id: night });
await admin.roles.delByName({ name: "keeper" });
await admin.clientScopes.del({ id: scope });
await admin.clients.del({ id: client });
for (const name of [realm, "shop-copy"]) await admin.realms.del({ realm: name });
assert(!(await admin.realms.find()).some((one) => one.realm.startsWith("shop")));
