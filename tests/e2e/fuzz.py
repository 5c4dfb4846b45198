"""Sends to every operation of the Admin REST API what its own description allows, and what it does not (schemathesis).

    fuzz.py BASE_URL DESCRIPTION EXAMPLES [SEED]

DESCRIPTION is a file or an address (/openapi of the management port), EXAMPLES how many requests each operation gets at least.
Realms are made for it. No answer may be a failure of the server's own, and every answer has to be as it is described.
"""

import json
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

base, description, examples = sys.argv[1:4]
seed = sys.argv[4] if len(sys.argv) > 4 else "1"


def call(method, path, body=None, token=None, form=None):
    data = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form).encode() if form else None
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(base + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else answer.headers.get("location", "").rsplit("/", 1)[-1]


def sign_in():
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    return call("POST", "/realms/master/protocol/openid-connect/token", form=form)["access_token"]


call("PUT", "/admin/realms/master", {"accessTokenLifespan": 36000, "ssoSessionIdleTimeout": 36000}, sign_in())
token = sign_in()
for realm in ["fuzz", "spare"]:
    call("POST", "/admin/realms", {"realm": realm, "enabled": True}, token)
admin = "/admin/realms/fuzz"
client = call("POST", admin + "/clients", {"clientId": "app", "secret": "s", "serviceAccountsEnabled": True}, token)
user = call("POST", admin + "/users", {"username": "ada", "enabled": True}, token)
group = call("POST", admin + "/groups", {"name": "staff"}, token)
scope = call("POST", admin + "/client-scopes", {"name": "shelf", "protocol": "openid-connect"}, token)

# What is deleted or renamed is a realm of its own; what is read and changed is there.
config = f"""
[parameters]
"path.realm" = "fuzz"
"path.uuid" = "{client}"

[[operations]]
include-path = "/admin/realms/{{realm}}"
parameters = {{ "path.realm" = "spare" }}
"""
for family, key in [("users", user), ("groups", group), ("client-scopes", scope), ("clients", client)]:
    config += f"""
[[operations]]
include-path-regex = "^/admin/realms/.realm./{family}/.id."
exclude-method = "DELETE"
parameters = {{ "path.realm" = "fuzz", "path.id" = "{key}" }}
"""

with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "schemathesis.toml").write_text(config)
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        description,
        "--url",
        base,
        "--header",
        f"Authorization: Bearer {token}",
        # Keycloak's answer where a mail server cannot be reached is 500.
        "--exclude-path-regex",
        "testSMTPConnection$",
        "--checks",
        "not_a_server_error,response_schema_conformance",
        "--phases",
        "fuzzing",
        "--max-examples",
        examples,
        "--seed",
        seed,
        "--continue-on-failure",
        "--suppress-health-check",
        "all",
        "--warnings",
        "off",
        "--no-color",
    ]
    ended = subprocess.run(command, cwd=folder, check=False).returncode

# Whoever asked could ask all the time.
call("GET", admin, token=token)
sys.exit(ended)
