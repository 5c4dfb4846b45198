"""python-keycloak, unchanged: a realm from its making to its end, with tokens that show what was made.

Usage: python realm.py BASE; ends with code 0 if all of it held.
"""

import sys

from keycloak import KeycloakAdmin, KeycloakOpenID
from keycloak.exceptions import KeycloakPostError

base = sys.argv[1] + "/"
realm = "office"


def equal(left, right):
    assert left == right, f"{left!r} is not {right!r}"


def administrator(name):
    return KeycloakAdmin(server_url=base, username="admin", password="admin", realm_name=name, user_realm_name="master")


administrator("master").create_realm({"realm": realm, "enabled": True}, skip_exists=True)
admin = administrator(realm)
admin.update_realm(realm, {"displayName": "Office"})
equal(admin.get_realm(realm)["displayName"], "Office")

# Clients.
client = admin.create_client({"clientId": "desk", "secret": "s3cret", "directAccessGrantsEnabled": True,
                              "serviceAccountsEnabled": True, "redirectUris": ["https://desk.example/*"],
                              "attributes": {"allow.token.introspection.without.audience.check": "true"}})
equal(admin.get_client_id("desk"), client)
equal(admin.get_client_secrets(client)["value"], "s3cret")
secret = admin.generate_client_secrets(client)["value"]
equal(admin.get_client_service_account_user(client)["username"], "service-account-desk")
admin.update_client(client, {"clientId": "desk", "description": "by the window"})
equal(admin.get_client(client)["description"], "by the window")
admin.add_mapper_to_client(client, {
    "name": "seat", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
    "config": {"claim.name": "seat", "claim.value": "7", "access.token.claim": "true", "jsonType.label": "int"}})
equal(len(admin.get_mappers_from_client(client)), 1)

# Scopes.
scope = admin.create_client_scope({"name": "floor", "protocol": "openid-connect"})
admin.add_client_default_client_scope(client, scope, {"realm": realm, "client": client, "clientScopeId": scope})
assert any(one["name"] == "floor" for one in admin.get_client_default_client_scopes(client))
equal(admin.get_client_scope_by_name("floor")["id"], scope)

# Roles.
admin.create_realm_role({"name": "clerk", "description": "writes"})
admin.create_client_role(client, {"name": "signs"})
signs = admin.get_client_role(client, "signs")
admin.add_composite_realm_roles_to_role("clerk", [signs])
equal([one["name"] for one in admin.get_composite_realm_roles_of_role("clerk")], ["signs"])
admin.update_realm_role("clerk", {"name": "clerk", "description": "reads"})
equal(admin.get_realm_role("clerk")["description"], "reads")

# Groups.
house = admin.create_group({"name": "house"})
upstairs = admin.create_group({"name": "upstairs"}, parent=house)
admin.assign_group_realm_roles(upstairs, [admin.get_realm_role("clerk")])
equal(admin.get_group_by_path("/house/upstairs")["id"], upstairs)
equal(admin.groups_count(), {"count": 2})

# Users.
users = {}
for name in ("dan", "eve"):
    users[name] = admin.create_user({"username": name, "email": f"{name}@example.org", "firstName": name, "lastName": "E",
                                     "enabled": True, "credentials": [{"type": "password", "value": name}]})
equal(admin.get_user_id("eve"), users["eve"])
equal(admin.users_count(), 2)
equal([one["username"] for one in admin.get_users({"search": "dan"})], ["dan"])
admin.update_user(users["eve"], {"firstName": "Eva"})
equal(admin.get_user(users["eve"])["firstName"], "Eva")
admin.set_user_password(users["eve"], "apple", temporary=False)
admin.group_user_add(users["dan"], upstairs)
equal([one["username"] for one in admin.get_group_members(upstairs)], ["dan"])
admin.assign_realm_roles(users["eve"], [admin.get_realm_role("clerk")])
assert "clerk" in [one["name"] for one in admin.get_realm_roles_of_user(users["eve"])]
admin.delete_realm_roles_of_user(users["eve"], [admin.get_realm_role("clerk")])
try:
    admin.create_user({"username": "dan"})
except KeycloakPostError as error:
    equal(error.response_code, 409)
else:
    raise AssertionError("a name was given twice")

# Tokens show it, are looked into, refreshed and ended.
openid = KeycloakOpenID(server_url=base, realm_name=realm, client_id="desk", client_secret_key=secret)
equal(openid.well_known()["issuer"], f"{base}realms/{realm}")
tokens = openid.token("dan", "dan", scope="openid offline_access")
claims = openid.decode_token(tokens["access_token"])
equal((claims["seat"], claims["resource_access"]["desk"]["roles"]), (7, ["signs"]))
assert "clerk" in claims["realm_access"]["roles"]
equal(openid.introspect(tokens["access_token"])["username"], "dan")
equal(openid.userinfo(tokens["access_token"])["preferred_username"], "dan")
equal(openid.decode_token(openid.refresh_token(tokens["refresh_token"])["access_token"])["sub"], users["dan"])
equal(len(admin.get_client_all_sessions(client)), 0)
try:
    openid.token("eve", "eve")
except KeycloakPostError as error:
    equal(error.response_code, 400)
else:
    raise AssertionError("a password of before still works")
openid.token("eve", "apple")

# A client registers itself.
# The library's own call for the token wants 200, where Keycloak answers 201.
initial = admin.connection.raw_post(f"admin/realms/{realm}/clients-initial-access", '{"count": 1}').json()["token"]
made = openid.register_client(initial, {"clientId": "lamp", "redirectUris": ["https://lamp.example/*"]})
equal(admin.get_client_id("lamp"), made["id"])
changed = openid.update_client(made["registrationAccessToken"], "lamp", {"clientId": "lamp", "name": "Lamp"})
equal(changed["name"], "Lamp")

# A file of it, and away with it.
file = admin.export_realm(export_clients=True, export_groups_and_role=True)
equal([one["name"] for one in file["groups"]], ["house"])
admin.delete_user(users["eve"])
admin.delete_group(house)
admin.delete_realm_role("clerk")
admin.delete_client_scope(scope)
admin.delete_client(client)
equal(admin.users_count(), 1)
administrator("master").delete_realm(realm)
assert realm not in [one["realm"] for one in administrator("master").get_realms()]
