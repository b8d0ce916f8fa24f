//! The page's files, embedded in the program. What is in `vendor/` is as npm ships it: `node/dashboard/check-vendor.sh`
//! compares.

use cairn_protocol::resources::Resource;

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    pub path: &'static str,
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the circuit counts, as a module: made from the list, so that the page names what the node counts.
const RESOURCES_JS: [u8; RESOURCES_PARTS[0].len() + RESOURCES_PARTS[1].len() + RESOURCES_PARTS[2].len()] =
    concatenated(RESOURCES_PARTS);
const RESOURCES_PARTS: [&str; 3] = ["export const RESOURCES = [", Resource::LIST_JSON, "];\n"];

const fn concatenated<const N: usize>(parts: [&str; 3]) -> [u8; N] {
    let (mut out, mut at, mut part) = ([0; N], 0, 0);
    while part < parts.len() {
        let (bytes, mut i) = (parts[part].as_bytes(), 0);
        while i < bytes.len() {
            out[at] = bytes[i];
            (at, i) = (at + 1, i + 1);
        }
        part += 1;
    }
    out
}

macro_rules! assets {
    ($($path:literal $content_type:ident $file:literal),* $(,)?) => {
        &[
            Asset { path: "/dashboard/js/resources.js", content_type: SCRIPT, bytes: &RESOURCES_JS },
            $(Asset { path: $path, content_type: $content_type, bytes: include_bytes!($file) }),*
        ]
    };
}

/// Every file.
const ASSETS: &[Asset] = assets! {
    "/" HTML "ui/index.html",
    "/dashboard/icon.svg" SVG "ui/icon.svg",
    "/dashboard/css/base.css" CSS "ui/css/base.css",
    "/dashboard/css/layout.css" CSS "ui/css/layout.css",
    "/dashboard/css/pipeline.css" CSS "ui/css/pipeline.css",
    "/dashboard/css/detail.css" CSS "ui/css/detail.css",
    "/dashboard/js/main.js" SCRIPT "ui/js/main.js",
    "/dashboard/js/rpc.js" SCRIPT "ui/js/rpc.js",
    "/dashboard/js/dom.js" SCRIPT "ui/js/dom.js",
    "/dashboard/js/format.js" SCRIPT "ui/js/format.js",
    "/dashboard/js/store.js" SCRIPT "ui/js/store.js",
    "/dashboard/js/header.js" SCRIPT "ui/js/header.js",
    "/dashboard/js/heads.js" SCRIPT "ui/js/heads.js",
    "/dashboard/js/pipeline.js" SCRIPT "ui/js/pipeline.js",
    "/dashboard/js/tile.js" SCRIPT "ui/js/tile.js",
    "/dashboard/js/recent.js" SCRIPT "ui/js/recent.js",
    "/dashboard/js/node.js" SCRIPT "ui/js/node.js",
    "/dashboard/js/plot.js" SCRIPT "ui/js/plot.js",
    "/dashboard/js/plots.js" SCRIPT "ui/js/plots.js",
    "/dashboard/js/search.js" SCRIPT "ui/js/search.js",
    "/dashboard/js/router.js" SCRIPT "ui/js/router.js",
    "/dashboard/js/views/parts.js" SCRIPT "ui/js/views/parts.js",
    "/dashboard/js/views/transaction.js" SCRIPT "ui/js/views/transaction.js",
    "/dashboard/js/views/block.js" SCRIPT "ui/js/views/block.js",
    "/dashboard/js/views/batch.js" SCRIPT "ui/js/views/batch.js",
    "/dashboard/js/views/address.js" SCRIPT "ui/js/views/address.js",
    "/dashboard/vendor/uPlot.iife.min.js" SCRIPT "vendor/uPlot.iife.min.js",
    "/dashboard/vendor/uPlot.min.css" CSS "vendor/uPlot.min.css",
    "/dashboard/vendor/LICENSE" TEXT "vendor/LICENSE",
};

/// Every file of the page.
#[must_use]
pub const fn assets() -> &'static [Asset] {
    ASSETS
}

/// The file at a path.
#[must_use]
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// Files below `dir`, relative to it.
    fn files(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                files(&entry.path(), &name, found);
            } else {
                found.insert(name);
            }
        }
    }

    #[test]
    fn accepts_that_every_file_is_served() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dashboard");
        let mut found = BTreeSet::new();
        files(&source.join("ui"), "/dashboard", &mut found);
        files(&source.join("vendor"), "/dashboard/vendor", &mut found);
        assert!(found.remove("/dashboard/index.html"));
        // The root is the index; the list of resources is no file.
        found.extend(["/".to_owned(), "/dashboard/js/resources.js".to_owned()]);
        let served: BTreeSet<_> = assets().iter().map(|asset| asset.path.to_owned()).collect();
        assert_eq!(served, found);
        assert_eq!(served.len(), assets().len());
    }

    #[test]
    fn rejects_markup_and_code_from_data() {
        let hazards = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setHTML",
            "http://",
            "https://",
            "DOMParser",
            "javascript:",
        ];
        for asset in assets().iter().filter(|a| !a.path.contains("/vendor/") && a.content_type != SVG) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for hazard in hazards {
                assert!(!text.contains(hazard), "{}: {hazard}", asset.path);
            }
            assert!(!text.contains("<script>") && !text.contains(" style="), "{}: inline", asset.path);
        }
    }
}
