-- Users are found by their link to an identity provider.
create index user_account_by_federated_identity on user_account using gin (federated_identities jsonb_path_ops);
