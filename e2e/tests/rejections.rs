//! What the node refuses over JSON-RPC, by code and words; and that nothing of it stays behind.

use alloy_primitives::{Address, U256, uint};
use cairn_e2e::{
    client::{L2, h160, wallet},
    keys,
    node::Devnet,
};
use cairn_protocol::genesis::DEVNET_ACCOUNTS;
use ethers::{
    providers::Middleware,
    types::{
        self as e, BlockNumber, Bytes, Eip1559TransactionRequest, Eip2930TransactionRequest,
        TransactionRequest,
        transaction::{
            eip2718::TypedTransaction,
            eip2930::{AccessList, AccessListItem},
        },
    },
};
use eyre::OptionExt;

const SENDER: u32 = 3;
const RECIPIENT: Address = Address::repeat_byte(0x4e);
/// Order of secp256k1.
const N: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

/// Invalid input or transaction.
const INVALID: i64 = -32_000;
/// Valid, but of a kind that is refused.
const REJECTED: i64 = -32_003;
/// Malformed parameters.
const PARAMS: i64 = -32_602;

/// A transfer of the sender's next nonce.
fn transfer() -> TransactionRequest {
    TransactionRequest::new()
        .to(h160(RECIPIENT))
        .value(1)
        .nonce(0)
        .gas(21_000)
        .gas_price(10_000_000_000u64)
        .chain_id(1001)
}

fn sign(tx: impl Into<TypedTransaction>) -> eyre::Result<Vec<u8>> {
    sign_with(tx, |_| {})
}

/// Signs, then changes the signature.
fn sign_with(tx: impl Into<TypedTransaction>, change: impl Fn(&mut e::Signature)) -> eyre::Result<Vec<u8>> {
    let tx = tx.into();
    let chain_id = tx.chain_id().ok_or_eyre("no chain id")?.as_u64();
    let mut signature = wallet(SENDER, chain_id)?.sign_transaction_sync(&tx)?;
    change(&mut signature);
    Ok(tx.rlp_signed(&signature).to_vec())
}

fn high_s(signature: &mut e::Signature) {
    let s = N - U256::from_limbs(signature.s.0);
    signature.s = e::U256(*s.as_limbs());
    // The other half has the other parity.
    signature.v = if signature.v.is_multiple_of(2) { signature.v - 1 } else { signature.v + 1 };
}

/// A name, the bytes, the code, the words.
type Case = (&'static str, Vec<u8>, i64, String);

/// What is refused.
fn cases() -> eyre::Result<Vec<Case>> {
    let case = |what, raw: eyre::Result<Vec<u8>>, code, words: &str| -> eyre::Result<Case> {
        Ok((what, raw?, code, words.to_owned()))
    };
    let good = sign(transfer())?;
    let precompile = Address::with_last_byte(4);
    let ether = e::U256::exp10(18);
    let list = AccessList(vec![AccessListItem { address: h160(RECIPIENT), storage_keys: vec![] }]);
    let dynamic = Eip1559TransactionRequest::new()
        .to(h160(RECIPIENT))
        .nonce(0)
        .gas(21_000)
        .chain_id(1001)
        .max_fee_per_gas(1_000_000_000u64)
        .max_priority_fee_per_gas(1_000_000_001u64);
    [
        case("nothing", Ok(vec![]), INVALID, "rlp: the transaction is empty"),
        case("no transaction", Ok(vec![0x7f]), INVALID, "transaction type not supported: unknown transaction type 0x7f"),
        case("a string", Ok(vec![0x83, 1, 2, 3]), INVALID, "rlp: a transaction starts with its type or an RLP list, got byte 0x83"),
        case("cut short", Ok(good[..good.len() - 1].to_vec()), INVALID, "rlp: field list: the item does not fit the bytes that remain"),
        case("bytes behind", Ok([&good[..], &[0]].concat()), INVALID, "rlp: 1 bytes after the transaction"),
        case("blob type", Ok([&[3][..], &good].concat()), INVALID, "transaction type not supported: blob transactions (EIP-4844) are not supported"),
        case("set-code type", Ok([&[4][..], &good].concat()), INVALID, "transaction type not supported: set-code transactions (EIP-7702) are not supported"),
        case("other chain", sign(transfer().chain_id(1)), INVALID, "invalid chain id for signer: have 1 want 1001"),
        case("r = 0", sign_with(transfer(), |s| s.r = e::U256::zero()), INVALID, "invalid sender: r must be above 0 and below the order of secp256k1, got 0x0"),
        case("s = n", sign_with(transfer(), |s| s.s = e::U256(*N.as_limbs())), INVALID, &format!("invalid sender: s must be above 0 and below the order of secp256k1, got {N:#x}")),
        case("r off the curve", sign_with(transfer(), |s| s.r = 5.into()), INVALID, "invalid sender: r is not the x coordinate of a point, or the recovered key is the point at infinity: r = 0x5, s = "),
        case("high s", sign_with(transfer(), high_s), INVALID, "invalid sender: s must be at most half the order of secp256k1 (EIP-2), got "),
        case("gas", sign(transfer().gas(20_999)), INVALID, "intrinsic gas too low: gas 20999, minimum needed 21000"),
        case("gas for data", sign(transfer().data(vec![1])), INVALID, "intrinsic gas too low: gas 21000, minimum needed 21016"),
        case("gas above the block's", sign(transfer().gas(30_000_001)), INVALID, "exceeds block gas limit: gas 30000001, limit 30000000"),
        case("price", sign(transfer().gas_price(1)), INVALID, "transaction underpriced: gas tip cap 1, minimum needed "),
        case("tip above fee", sign(dynamic), INVALID, "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: 1000000001, maxFeePerGas: 1000000000"),
        case("value", sign(transfer().value(ether * 10_000)), INVALID, "insufficient funds for gas * price + value: balance 10000000000000000000000, tx cost 10000000210000000000000"),
        case("nonce far ahead", sign(transfer().nonce(5_000)), INVALID, "nonce too high: next nonce 0, tx nonce 5000, at most 1024 ahead"),
        case("largest nonce", sign(transfer().nonce(u64::MAX)), INVALID, "nonce has max value"),
        case("size", sign(transfer().data(vec![0; 130 << 10]).gas(1_000_000)), INVALID, "oversized data: transaction size "),
        case("creation", sign(creation()), REJECTED, "contract creation is not provable yet"),
        case("precompile", sign(transfer().to(h160(precompile)).gas(50_000)), REJECTED, &format!("a call to the precompile {precompile} is not provable yet")),
        case("access list", sign(Eip2930TransactionRequest::new(transfer().gas(50_000), list)), REJECTED, "an access list is not provable yet"),
    ]
    .into_iter()
    .collect()
}

fn creation() -> TransactionRequest {
    let mut tx = transfer().data(Bytes::from_static(&[0x60, 0x00])).gas(100_000);
    tx.to = None;
    tx
}

async fn refuses(l2: &L2, what: &str, raw: &[u8], code: i64, words: &str) -> eyre::Result<()> {
    let error = l2.submit(raw).await?.err().ok_or_eyre(format!("{what}: accepted"))?;
    assert_eq!(error.code, code, "{what}: {}", error.message);
    // Words that end in a number that is not fixed are a beginning.
    let open = words.ends_with(' ');
    let same = if open { error.message.starts_with(words) } else { error.message == words };
    assert!(same, "{what}: {:?}, not {words:?}", error.message);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_bad_input_by_code_and_words() -> eyre::Result<()> {
    // Where everything is proven, admission is at its strictest.
    let net = Devnet::start(keys::groth16().await?).await?;
    let l2 = &net.l2;
    let sender = DEVNET_ACCOUNTS[SENDER as usize];
    for (what, raw, code, words) in cases()? {
        refuses(l2, what, &raw, code, &words).await?;
    }
    for not_hex in ["0xzz", "0x123", "hello"] {
        let answer = l2.provider.request::<_, e::H256>("eth_sendRawTransaction", [not_hex]).await;
        let error = answer.err().ok_or_eyre("accepted")?;
        let response =
            ethers::providers::RpcError::as_error_response(&error).ok_or_eyre(error.to_string())?;
        assert_eq!(response.code, PARAMS, "{not_hex}: {}", response.message);
    }
    assert_eq!(l2.nonce(sender, BlockNumber::Pending).await?, 0);
    assert_eq!(l2.block_number(BlockNumber::Latest).await?, 0);

    // A gap waits in the queue for what fills it.
    let [first, second] = [0, 1].map(|nonce| sign(transfer().nonce(nonce)));
    let (first, second) = (first?, second?);
    let waits = l2.submit(&second).await?.map_err(|error| eyre::eyre!(error))?;
    assert!(l2.provider.get_transaction_receipt(waits).await?.is_none());
    assert_eq!(l2.nonce(sender, BlockNumber::Pending).await?, 0);
    refuses(l2, "the same again", &second, INVALID, "already known").await?;
    let other = sign(transfer().nonce(1).value(2))?;
    refuses(l2, "the same price", &other, INVALID, "replacement transaction underpriced").await?;
    let hash = l2.submit(&first).await?.map_err(|error| eyre::eyre!(error))?;
    assert_eq!(l2.receipt(hash).await?.block_number, Some(1.into()));
    assert_eq!(l2.receipt(waits).await?.block_number, Some(2.into()));

    // What is executed is not executed again.
    refuses(l2, "again", &first, INVALID, "nonce too low: next nonce 2, tx nonce 0").await?;
    l2.finalized(2).await?;
    assert_eq!(l2.balance(RECIPIENT, BlockNumber::Finalized).await?, 2.into());
    assert_eq!(l2.nonce(sender, BlockNumber::Latest).await?, 2);
    net.stop().await
}
