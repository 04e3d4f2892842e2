//! The style sheet, the script and the icon, served from the binary.

use axum::http::header;
use axum::response::IntoResponse;

/// The style sheet.
pub const STYLE: &str = include_str!("assets/console.css");

/// The script: times in the reader's zone, and pages that stay up to date. Every page works without it.
pub const SCRIPT: &str = include_str!("assets/console.js");

const ICON: &str = include_str!("assets/icon.svg");

/// Kept by browsers for as long as they like: pages name it with its content's hash.
const FOREVER: &str = "public, max-age=31536000, immutable";

pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, FOREVER)], STYLE)
}

pub(super) async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, FOREVER)], SCRIPT)
}

pub(super) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, FOREVER)], ICON)
}

/// What sets this style sheet and script apart from another version's.
pub(super) fn version() -> &'static str {
    static VERSION: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        use sha2::{Digest, Sha256};
        Sha256::digest(format!("{STYLE}{SCRIPT}")).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    });
    &VERSION
}
