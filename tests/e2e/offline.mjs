// openid-client, unchanged: discovery, code with PKCE, an offline token that outlives the logout, revocation.
// Usage: node offline.mjs ISSUER; ends with code 0 if all of it held.
import assert from "node:assert/strict";
import * as client from "openid-client";

const issuer = new URL(process.argv[2]);
const config = await client.discovery(issuer, "demo-spa", undefined, client.None(), {
  execute: [client.allowInsecureRequests],
});
const redirectUri = "http://localhost:3000/cb";
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const start = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});

// The sign-in form, as a browser without JavaScript sends it.
const cookies = new Map();
async function ask(address, options = {}) {
  const headers = { accept: "text/html", cookie: [...cookies].map((pair) => pair.join("=")).join("; ") };
  const answer = await fetch(address, { redirect: "manual", ...options, headers: { ...headers, ...options.headers } });
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(";")[0].split(/=(.*)/s);
    if (line.includes("Max-Age=0")) cookies.delete(name);
    else cookies.set(name, value);
  }
  return answer;
}
const page = await (await ask(start)).text();
const action = page.match(/<form[^>]*action="([^"]+)"/)[1].replaceAll("&amp;", "&");
const sent = await ask(new URL(action, issuer), {
  method: "POST",
  body: new URLSearchParams({ username: "alice", password: "alice" }),
});
assert.equal(sent.status, 302, "the user is signed in");

const tokens = await client.authorizationCodeGrant(config, new URL(sent.headers.get("location")), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
});
assert.equal(tokens.claims().preferred_username, "alice");
const told = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
assert.equal(told.email, "alice@example.org");

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.ok(refreshed.access_token && refreshed.refresh_token);

const out = await ask(client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }));
assert.ok(out.status < 400, "the user is logged out");

const afterwards = await client.refreshTokenGrant(config, refreshed.refresh_token);
assert.ok(afterwards.access_token, "offline access goes on");

await client.tokenRevocation(config, afterwards.refresh_token);
await assert.rejects(client.refreshTokenGrant(config, afterwards.refresh_token), (error) => error.error === "invalid_grant");
