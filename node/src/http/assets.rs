//! How files are served. Which there are is the dashboard's: [`crate::dashboard::assets`].

use std::sync::LazyLock;

use alloy_primitives::keccak256;

use crate::dashboard::assets::{Asset, assets};

/// Headers of every file. Scripts and styles come from here alone, data from the node's own port; nothing is inline, and
/// nobody may frame a page.
pub const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    // Browsers ask every time whether a file has changed: a newer node has a newer page.
    ("cache-control", "no-cache"),
];

/// Entity tags, in the order of the files.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    assets().iter().map(|asset| format!("\"{}\"", hex::encode(&keccak256(asset.bytes)[..8]))).collect()
});

/// The file at a path, and its entity tag. `/dashboard` is the page at `/`; below it there is nothing, because links of the
/// page are relative.
#[must_use]
pub fn find(path: &str) -> Option<(&'static Asset, &'static str)> {
    let path = if path == "/dashboard" { "/" } else { path };
    let index = assets().iter().position(|asset| asset.path == path)?;
    Some((&assets()[index], TAGS[index].as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_files_with_paths_of_their_own() {
        for (i, asset) in assets().iter().enumerate() {
            let (found, tag) = find(asset.path).unwrap();
            assert!(std::ptr::eq(found, &assets()[i]), "two files at {}", asset.path);
            assert!(asset.path.starts_with('/') && !asset.bytes.is_empty() && asset.content_type.is_ascii());
            assert_eq!(tag.len(), 18);
            // Those answer by themselves.
            assert!(!["/health", "/ready", "/metrics"].contains(&asset.path));
        }
        assert_eq!(find("/dashboard").unwrap().1, find("/").unwrap().1);
        assert!(find("/dashboard/").is_none());
        assert!(find("/dashboard/../Cargo.toml").is_none());
    }
}
