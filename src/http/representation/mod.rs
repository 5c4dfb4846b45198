//! Keycloak's JSON shapes. They end here: model types carry no wire format, and these carry no behaviour.
