//! The clients that people use against a node, unchanged and without special cases: each program runs against anvil
//! first, which shows that what it asks for is what everybody answers. And the programs of docs/clients.md.

use std::path::Path;

use cairn_e2e::{
    keys,
    node::Devnet,
    scripts::{Endpoint, directory, javascript, python, reference, shell},
};
use cairn_protocol::constants::DEVNET_CHAIN_ID;

/// Runs a program against anvil and against a node.
async fn accepts(arguments: &[&str]) -> eyre::Result<()> {
    let run = async |endpoint: &Endpoint| match arguments {
        [script, ..] if script.ends_with(".py") => python(endpoint, arguments).await,
        _ => javascript(endpoint, arguments, &[]).await,
    };
    let anvil = reference(DEVNET_CHAIN_ID).await?;
    run(&Endpoint::new(&anvil.url(), DEVNET_CHAIN_ID)?).await?;
    drop(anvil);
    let net = Devnet::start(keys::mock()).await?;
    let said = run(&Endpoint::new(&net.l2.url, DEVNET_CHAIN_ID)?).await?;
    assert!(!said.is_empty(), "a program that did nothing");
    net.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_ethers_does() -> eyre::Result<()> {
    accepts(&["ethers.mjs"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_viem_does() -> eyre::Result<()> {
    accepts(&["viem.mjs"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_web3js_does() -> eyre::Result<()> {
    accepts(&["web3js.mjs"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_web3py_does() -> eyre::Result<()> {
    accepts(&["web3py.py"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_what_hardhat_does() -> eyre::Result<()> {
    let hardhat = "node_modules/hardhat/dist/src/cli.js";
    accepts(&[hardhat, "test", "nodejs", "--network", "cairn", "--no-compile"]).await
}

/// A block of code of the documentation: what follows the fence, and the code.
struct Block<'a> {
    kind: &'a str,
    code: &'a str,
}

/// The blocks of code of a page, in order.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).map(|(kind, code)| Block { kind, code }).collect()
}

#[test]
fn accepts_only_programs_that_are_run_in_the_readme() -> eyre::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (readme, page) = (
        std::fs::read_to_string(root.join("README.md"))?,
        std::fs::read_to_string(root.join("docs/clients.md"))?,
    );
    let run: Vec<_> = blocks(&page).iter().map(|block| block.code).collect();
    let shown = blocks(&readme);
    assert!(shown.len() >= 3, "{} programs", shown.len());
    for Block { kind, code } in shown {
        assert!(run.contains(&code), "this {kind} program is not in docs/clients.md:\n{code}");
    }
    Ok(())
}

/// Below `e2e/clients`, where its packages are found.
const SNIPPETS: &str = "node_modules/.cache/snippets";

#[tokio::test(flavor = "multi_thread")]
async fn accepts_the_programs_of_the_documentation() -> eyre::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/clients.md"))?;
    let net = Devnet::start(keys::mock()).await?;
    let endpoint = Endpoint::new(&net.l2.url, DEVNET_CHAIN_ID)?;
    let page = page.replace("127.0.0.1:8123", endpoint.url.trim_start_matches("http://"));
    let place = directory().join(SNIPPETS);
    let write = |name: &str, text: &str| -> eyre::Result<String> {
        let path = place.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&place))?;
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    write("package.json", r#"{ "type": "module" }"#)?;
    let solc = root.canonicalize()?.join("contracts/solc-wrapper.js");
    write(
        "foundry.toml",
        &format!("[profile.default]\nsolc = {solc:?}\noffline = true\nevm_version = \"cancun\""),
    )?;
    let mut ran = 0;
    for (number, Block { kind, code }) in blocks(&page).into_iter().enumerate() {
        let said = match kind.split_once(' ').unwrap_or((kind, "")) {
            ("js", "") => {
                let file = write(&format!("{number}.js"), code)?;
                javascript(&endpoint, &[&file], &[]).await?
            }
            ("python", "") => python(&endpoint, &["-c", code]).await?,
            ("js", script) if script.starts_with("scripts/") => {
                write(script, code)?;
                let hardhat = directory().join("node_modules/hardhat/dist/src/cli.js");
                let config = place.join("hardhat.config.js").display().to_string();
                let cli = hardhat.display().to_string();
                let arguments = [&cli, "--config", &config, "run", "--no-compile", "--network", "cairn"];
                javascript(
                    &endpoint,
                    &[&arguments[..], &[&place.join(script).display().to_string()]].concat(),
                    &[],
                )
                .await?
            }
            ("sh", _) => shell(&endpoint, &place, code).await?,
            (_, file) if !file.is_empty() => {
                write(file, code)?;
                continue;
            }
            (kind, _) => eyre::bail!("nothing runs a block of {kind}"),
        };
        assert!(!said.is_empty(), "block {number} said nothing");
        ran += 1;
    }
    // ethers, viem, web3.js, web3.py, Hardhat, cast, forge.
    assert_eq!(ran, 7);
    net.stop().await
}
