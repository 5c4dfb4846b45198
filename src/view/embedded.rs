//! The product's own templates and texts, compiled in. A file that is not in these lists is not part of the product.

/// Path below `templates/`, and text.
pub(super) const TEMPLATES: &[(&str, &str)] = &[
    ("account/applications.html", include_str!("../../templates/account/applications.html")),
    ("account/devices.html", include_str!("../../templates/account/devices.html")),
    ("account/personal-info.html", include_str!("../../templates/account/personal-info.html")),
    ("account/remove-access.html", include_str!("../../templates/account/remove-access.html")),
    ("email/letter.html", include_str!("../../templates/email/letter.html")),
    ("email/letter.txt", include_str!("../../templates/email/letter.txt")),
    ("layout/account.html", include_str!("../../templates/layout/account.html")),
    ("layout/base.html", include_str!("../../templates/layout/base.html")),
    ("layout/notices.html", include_str!("../../templates/layout/notices.html")),
    ("layout/profile-field.html", include_str!("../../templates/layout/profile-field.html")),
    ("layout/reveal.html", include_str!("../../templates/layout/reveal.html")),
    ("login/configure-totp.html", include_str!("../../templates/login/configure-totp.html")),
    ("login/consent.html", include_str!("../../templates/login/consent.html")),
    ("login/error.html", include_str!("../../templates/login/error.html")),
    ("login/forgotten-password.html", include_str!("../../templates/login/forgotten-password.html")),
    ("login/form-post.html", include_str!("../../templates/login/form-post.html")),
    ("login/frontchannel-logout.html", include_str!("../../templates/login/frontchannel-logout.html")),
    ("login/info.html", include_str!("../../templates/login/info.html")),
    ("login/login.html", include_str!("../../templates/login/login.html")),
    ("login/logout-confirm.html", include_str!("../../templates/login/logout-confirm.html")),
    ("login/one-time-code.html", include_str!("../../templates/login/one-time-code.html")),
    ("login/oob.html", include_str!("../../templates/login/oob.html")),
    ("login/register.html", include_str!("../../templates/login/register.html")),
    ("login/update-password.html", include_str!("../../templates/login/update-password.html")),
    ("login/update-profile.html", include_str!("../../templates/login/update-profile.html")),
    ("login/verify-email.html", include_str!("../../templates/login/verify-email.html")),
];

/// Locale, and the properties file of its texts.
pub(super) const MESSAGES: &[(&str, &str)] = &[
    ("de", include_str!("../../templates/messages/messages_de.properties")),
    ("en", include_str!("../../templates/messages/messages_en.properties")),
];

/// Name and bytes of the static files; the end of the name says the content type.
pub(super) const ASSETS: &[(&str, &[u8])] = &[
    ("form-post.js", include_bytes!("../../static/form-post.js")),
    ("logo.svg", include_bytes!("../../static/logo.svg")),
    ("nightlatch.css", include_bytes!("../../static/nightlatch.css")),
    ("nightlatch.js", include_bytes!("../../static/nightlatch.js")),
];
