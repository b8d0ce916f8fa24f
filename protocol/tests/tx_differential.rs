//! The decoder against alloy-consensus: valid encodings, mutations of them, RLP built field by field at the edges,
//! and random bytes. Both must accept the same bytes and see the same fields, payloads, hashes and senders.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, Transaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy,
    transaction::SignerRecoverable,
};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip2930::{AccessList, AccessListItem},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_rlp::Encodable;
use cairn_protocol::{
    constants::{SECP256K1_HALF_ORDER, SECP256K1_ORDER},
    tx::{DecodedTx, SignatureError, TxDecodeError, TxType, decode_batch, decode_tx},
};
use k256::ecdsa::SigningKey;
use proptest::prelude::*;

/// What alloy makes of the bytes; `None` if it refuses or the type is not one of ours.
fn oracle(raw: &[u8]) -> Option<TxEnvelope> {
    match TxEnvelope::decode_2718_exact(raw) {
        Ok(EthereumTxEnvelope::Eip4844(_) | EthereumTxEnvelope::Eip7702(_)) | Err(_) => None,
        Ok(tx) => Some(tx),
    }
}

fn signing_payload(tx: &TxEnvelope) -> Vec<u8> {
    match tx {
        EthereumTxEnvelope::Legacy(t) => t.tx().encoded_for_signing(),
        EthereumTxEnvelope::Eip2930(t) => t.tx().encoded_for_signing(),
        EthereumTxEnvelope::Eip1559(t) => t.tx().encoded_for_signing(),
        _ => unreachable!("the oracle returns three types"),
    }
}

fn assert_same_fields(ours: &DecodedTx, theirs: &TxEnvelope) {
    assert_eq!(ours.tx_type.number(), alloy_eips::Typed2718::ty(theirs));
    assert_eq!(ours.chain_id, theirs.chain_id());
    assert_eq!(ours.nonce, theirs.nonce());
    assert_eq!(ours.gas_limit, theirs.gas_limit());
    assert_eq!(ours.max_fee_per_gas, theirs.max_fee_per_gas());
    assert_eq!(ours.max_priority_fee_per_gas, theirs.priority_fee_or_price());
    assert_eq!(ours.to, theirs.to());
    assert_eq!(ours.to.is_none(), theirs.is_create());
    assert_eq!(ours.value, theirs.value());
    assert_eq!(&ours.data, theirs.input());
    assert_eq!(ours.access_list, theirs.access_list().cloned().unwrap_or_default());
    let signature = theirs.signature();
    assert_eq!((ours.r, ours.s, ours.y_parity), (signature.r(), signature.s(), signature.v()));
    assert_eq!(ours.tx_hash(), *theirs.tx_hash());
    assert_eq!(ours.signing_payload(), signing_payload(theirs));
    assert_eq!(ours.signing_hash(), theirs.signature_hash());
    assert_eq!(ours.recover_sender().ok(), theirs.recover_signer().ok());
    // Ours is libsecp256k1's; k256 is another.
    let by_k256 = signature.recover_address_from_prehash(&ours.signing_hash()).ok();
    match ours.recover_sender() {
        Ok(sender) => assert_eq!(by_k256, Some(sender)),
        Err(SignatureError::NoPublicKey { .. }) => assert_eq!(by_k256, None),
        Err(_) => {}
    }
    assert_eq!(ours.raw().to_vec(), theirs.encoded_2718());
}

/// The layout must describe the bytes that were decoded.
fn assert_layout(tx: &DecodedTx, batch: &[u8]) {
    let l = &tx.layout;
    assert_eq!(&batch[l.start..l.end], &tx.raw()[..]);
    assert_eq!(&batch[l.data.clone()], &tx.data[..]);
    assert_eq!(l.list.end, l.end);
    assert_eq!(l.list.start, l.start + usize::from(tx.tx_type != TxType::Legacy));
    assert_eq!(l.fields.len(), [9, 11, 12][tx.tx_type.number() as usize]);
    assert_eq!(l.fields[0].start, l.list.payload);
    assert!(l.fields.windows(2).all(|w| w[0].end == w[1].start));
    assert!(l.fields.iter().all(|f| f.start <= f.payload && f.payload <= f.end));
    let last = l.fields.len() - 1;
    assert_eq!(l.fields[last].end, l.end);
    assert_eq!(l.shared, l.fields[0].start..l.fields[last - 3].end);
    assert_eq!(U256::from_be_slice(&batch[l.fields[last].payload..l.fields[last].end]), tx.s);
}

/// Any bytes are transactions end to end, each of which decodes alone, or have a first place that is none.
fn assert_splits(bytes: &[u8]) {
    let (end, count) = match decode_batch(bytes) {
        Ok(txs) => (bytes.len(), txs.len()),
        Err(e) => (e.offset, e.index),
    };
    let head = decode_batch(&bytes[..end]).unwrap();
    assert_eq!(head.len(), count);
    let mut at = 0;
    for tx in &head {
        assert_eq!(tx.layout.start, at);
        assert_layout(tx, bytes);
        assert!(compare(tx.raw()));
        at = tx.layout.end;
    }
    assert_eq!(at, end);
}

/// Both decoders on the same bytes. Returns whether they accept.
fn compare(raw: &[u8]) -> bool {
    let ours = decode_tx(raw);
    let theirs = oracle(raw);
    match (&ours, &theirs) {
        (Ok(o), Some(t)) => {
            assert_same_fields(o, t);
            assert_layout(o, raw);
            true
        }
        (Err(_), None) => false,
        _ => panic!("{}: ours {ours:?}, alloy {theirs:?}", alloy_primitives::hex::encode(raw)),
    }
}

fn edge_u64() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(0x7f),
        Just(0x80),
        Just(0xff),
        Just(0x100),
        Just(u64::MAX),
        any::<u64>()
    ]
}

fn edge_u128() -> impl Strategy<Value = u128> {
    prop_oneof![edge_u64().prop_map(u128::from), Just(u128::MAX), any::<u128>()]
}

fn edge_u256() -> impl Strategy<Value = U256> {
    prop_oneof![
        edge_u128().prop_map(U256::from),
        Just(U256::MAX),
        Just(SECP256K1_ORDER),
        Just(SECP256K1_HALF_ORDER),
        Just(SECP256K1_HALF_ORDER + U256::ONE),
        any::<[u8; 32]>().prop_map(U256::from_be_bytes)
    ]
}

fn data() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        Just(vec![]),
        any::<u8>().prop_map(|b| vec![b]),
        prop::collection::vec(any::<u8>(), 0..70),
        prop::collection::vec(any::<u8>(), 240..300),
        prop::collection::vec(Just(0u8), 65_530..65_540)
    ]
    .prop_map(Bytes::from)
}

fn access_list() -> impl Strategy<Value = AccessList> {
    let item = (any::<[u8; 20]>(), prop::collection::vec(any::<[u8; 32]>(), 0..4)).prop_map(|(a, k)| {
        AccessListItem { address: Address::from(a), storage_keys: k.into_iter().map(B256::from).collect() }
    });
    prop::collection::vec(item, 0..4).prop_map(AccessList)
}

fn to() -> impl Strategy<Value = TxKind> {
    prop_oneof![
        4 => any::<[u8; 20]>().prop_map(|a| TxKind::Call(Address::from(a))),
        1 => Just(TxKind::Create)
    ]
}

/// A transaction that is signed by a key, or carries arbitrary r and s.
fn envelope() -> impl Strategy<Value = TxEnvelope> {
    let signer = prop_oneof![
        4 => any::<[u8; 32]>().prop_map(|k| (Some(k), U256::ZERO, U256::ZERO, false)),
        1 => (edge_u256(), edge_u256(), any::<bool>()).prop_map(|(r, s, v)| (None, r, s, v))
    ];
    let fields = (
        prop_oneof![Just(None), edge_u64().prop_map(Some)],
        edge_u64(),
        edge_u128(),
        edge_u128(),
        edge_u64(),
        to(),
        edge_u256(),
        data(),
        access_list(),
    );
    (0..3u8, fields, signer).prop_map(|(ty, f, signer)| {
        let (chain_id, nonce, max_fee, priority, gas_limit, to, value, input, access_list) = f;
        match ty {
            0 => sign(TxLegacy { chain_id, nonce, gas_price: max_fee, gas_limit, to, value, input }, signer),
            1 => sign(
                TxEip2930 {
                    chain_id: chain_id.unwrap_or(1),
                    nonce,
                    gas_price: max_fee,
                    gas_limit,
                    to,
                    value,
                    access_list,
                    input,
                },
                signer,
            ),
            _ => sign(
                TxEip1559 {
                    chain_id: chain_id.unwrap_or(1),
                    nonce,
                    gas_limit,
                    max_fee_per_gas: max_fee,
                    max_priority_fee_per_gas: priority,
                    to,
                    value,
                    access_list,
                    input,
                },
                signer,
            ),
        }
    })
}

fn sign<T>(tx: T, (key, r, s, v): (Option<[u8; 32]>, U256, U256, bool)) -> TxEnvelope
where
    T: SignableTransaction<Signature>,
    alloy_consensus::Signed<T>: Into<TxEnvelope>,
{
    let key = key.and_then(|k| SigningKey::from_slice(&k).ok());
    let signature = match key {
        Some(key) => key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap().into(),
        None => Signature::new(r, s, v),
    };
    tx.into_signed(signature).into()
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
    Append(u8),
}

impl Mutation {
    fn apply(&self, raw: &mut Vec<u8>) {
        if raw.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, b) => {
                let at = at.index(raw.len());
                raw[at] ^= b;
            }
            Self::Set(at, b) => {
                let at = at.index(raw.len());
                raw[at] = *b;
            }
            Self::Insert(at, b) => raw.insert(at.index(raw.len()), *b),
            Self::Remove(at) => {
                raw.remove(at.index(raw.len()));
            }
            Self::Truncate(at) => raw.truncate(at.index(raw.len())),
            Self::Append(b) => raw.push(*b),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let b = || prop_oneof![any::<u8>(), Just(0x80), Just(0xc0), Just(0), Just(1), Just(0xb8), Just(0xf8)];
    prop_oneof![
        (any::<prop::sample::Index>(), 1..=255u8).prop_map(|(i, b)| Mutation::Flip(i, b)),
        (any::<prop::sample::Index>(), b()).prop_map(|(i, b)| Mutation::Set(i, b)),
        (any::<prop::sample::Index>(), b()).prop_map(|(i, b)| Mutation::Insert(i, b)),
        any::<prop::sample::Index>().prop_map(Mutation::Remove),
        any::<prop::sample::Index>().prop_map(Mutation::Truncate),
        b().prop_map(Mutation::Append),
    ]
}

/// One RLP item, canonical or not quite.
fn rlp_field() -> impl Strategy<Value = Vec<u8>> {
    let canonical = |v: Vec<u8>| {
        let mut out = Vec::new();
        Bytes::from(v).encode(&mut out);
        out
    };
    prop_oneof![
        8 => edge_u256().prop_map(alloy_rlp::encode),
        3 => edge_u64().prop_map(alloy_rlp::encode),
        2 => Just(alloy_rlp::encode(Address::repeat_byte(7))),
        1 => Just(vec![0x80]),
        1 => Just(vec![0xc0]),
        1 => Just(vec![0x00]),
        1 => Just(vec![0x81, 0x05]),
        1 => Just(vec![0x81, 0x80]),
        1 => Just(vec![0x82, 0x00, 0x80]),
        1 => Just(vec![0xb8, 0x02, 0x80, 0x80]),
        1 => Just(vec![0x1b]),
        1 => Just(vec![0x25]),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(canonical),
        1 => access_list().prop_map(|l| alloy_rlp::encode(&l)),
    ]
}

/// The fields in their order with plausible kinds, so that the later ones are reached.
fn shaped() -> impl Strategy<Value = Vec<u8>> {
    let kind = || prop_oneof![6 => Just(true), 1 => Just(false)];
    (
        0..3u8,
        prop::collection::vec((kind(), rlp_field()), 13),
        0..3usize,
        edge_u128(),
        prop::option::weighted(0.1, 0..2usize),
    )
        .prop_map(|(ty, noise, v_kind, v, resize)| {
            let one = vec![0x01u8];
            let to = alloy_rlp::encode(Address::repeat_byte(7));
            let number = vec![0x82, 0x12, 0x34];
            let list = vec![0xc0u8];
            let v = match v_kind {
                0 => alloy_rlp::encode(27u8 + (v % 2) as u8),
                1 => alloy_rlp::encode(v % 80),
                _ => alloy_rlp::encode(v),
            };
            let n = number;
            let good: Vec<Vec<u8>> = match ty {
                0 => vec![n.clone(), n.clone(), n.clone(), to, n.clone(), n.clone(), v, n.clone(), n],
                1 => vec![
                    n.clone(),
                    n.clone(),
                    n.clone(),
                    n.clone(),
                    to,
                    n.clone(),
                    n.clone(),
                    list,
                    one,
                    n.clone(),
                    n,
                ],
                _ => vec![
                    n.clone(),
                    n.clone(),
                    n.clone(),
                    n.clone(),
                    n.clone(),
                    to,
                    n.clone(),
                    n.clone(),
                    list,
                    one,
                    n.clone(),
                    n,
                ],
            };
            let mut fields: Vec<Vec<u8>> = good
                .into_iter()
                .zip(&noise)
                .map(|(g, (keep, f))| if *keep { g } else { f.clone() })
                .collect();
            match resize {
                Some(0) => {
                    fields.pop();
                }
                Some(_) => fields.push(noise[12].1.clone()),
                None => {}
            }
            let body = fields.concat();
            let mut raw = if ty == 0 { vec![] } else { vec![ty] };
            alloy_rlp::Header { list: true, payload_length: body.len() }.encode(&mut raw);
            raw.extend(body);
            raw
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn prop_accepts_every_valid_encoding(tx in envelope()) {
        prop_assert!(compare(&tx.encoded_2718()));
    }

    #[test]
    fn prop_agrees_on_mutated_encodings(tx in envelope(), mutations in prop::collection::vec(mutation(), 1..4)) {
        let mut raw = tx.encoded_2718();
        for m in &mutations {
            m.apply(&mut raw);
        }
        compare(&raw);
    }

    #[test]
    fn prop_agrees_on_shaped_fields(raw in shaped()) {
        compare(&raw);
    }

    #[test]
    fn prop_agrees_on_random_bytes(raw in prop::collection::vec(any::<u8>(), 0..120)) {
        compare(&raw);
        let mut typed = vec![1 + raw.len() as u8 % 2, 0xc0 + (raw.len() as u8).min(55)];
        typed.extend(&raw);
        compare(&typed);
    }

    #[test]
    fn prop_batches_split_where_transactions_end(txs in prop::collection::vec(envelope(), 0..5), tail in prop::collection::vec(any::<u8>(), 0..9)) {
        let mut bytes = Vec::new();
        for tx in &txs {
            bytes.extend(tx.encoded_2718());
        }
        let decoded = decode_batch(&bytes).unwrap();
        prop_assert_eq!(decoded.len(), txs.len());
        let mut at = 0;
        for (ours, theirs) in decoded.iter().zip(&txs) {
            assert_same_fields(ours, theirs);
            assert_layout(ours, &bytes);
            prop_assert_eq!(ours.layout.start, at);
            at = ours.layout.end;
        }
        prop_assert_eq!(at, bytes.len());
        // Fewer than nine bytes are never a transaction.
        bytes.extend(&tail);
        match decode_batch(&bytes) {
            Ok(all) => prop_assert!(tail.is_empty() && all.len() == txs.len()),
            Err(e) => prop_assert!(!tail.is_empty() && e.index == txs.len() && e.offset == at),
        }
    }

    #[test]
    fn prop_mutated_batches_split_or_name_the_first_fault(txs in prop::collection::vec(envelope(), 1..5), mutations in prop::collection::vec(mutation(), 1..6)) {
        let mut bytes: Vec<u8> = txs.iter().flat_map(|tx| tx.encoded_2718()).collect();
        for m in &mutations {
            m.apply(&mut bytes);
        }
        assert_splits(&bytes);
    }

    #[test]
    fn prop_any_bytes_split_or_name_the_first_fault(bytes in prop::collection::vec(any::<u8>(), 0..4_096)) {
        assert_splits(&bytes);
    }
}

#[test]
fn rejects_high_s_and_out_of_range_by_name() {
    let tx = TxLegacy {
        chain_id: Some(1001),
        gas_limit: 21_000,
        to: TxKind::Call(Address::ZERO),
        ..Default::default()
    };
    let key = SigningKey::from_slice(&[7; 32]).unwrap();
    let good: Signature = key.sign_prehash_recoverable(tx.signature_hash().as_slice()).unwrap().into();
    let recover = |r: U256, s: U256, v: bool| {
        let env: TxEnvelope = tx.clone().into_signed(Signature::new(r, s, v)).into();
        assert!(compare(&env.encoded_2718()));
        decode_tx(&env.encoded_2718()).unwrap().recover_sender()
    };
    assert_eq!(recover(good.r(), good.s(), good.v()), Ok(Address::from_private_key(&key)));
    for (s, v) in [(SECP256K1_ORDER - good.s(), !good.v()), (SECP256K1_HALF_ORDER + U256::ONE, false)] {
        assert_eq!(recover(good.r(), s, v), Err(SignatureError::HighS { s }));
    }
    assert!(recover(good.r(), SECP256K1_HALF_ORDER, false).is_ok());
    for r in [U256::ZERO, SECP256K1_ORDER] {
        assert_eq!(recover(r, good.s(), false), Err(SignatureError::ROutOfRange { r }));
    }
    for s in [U256::ZERO, U256::MAX] {
        assert_eq!(recover(good.r(), s, false), Err(SignatureError::SOutOfRange { s }));
    }
    // x = 5 is not on the curve: 5³ + 7 is no square modulo p.
    let (r, s) = (U256::from(5), good.s());
    assert_eq!(recover(r, s, false), Err(SignatureError::NoPublicKey { r, s }));
}

#[test]
fn rejects_other_types_and_shapes_by_name() {
    assert_eq!(decode_tx(&[]), Err(TxDecodeError::Empty));
    assert_eq!(decode_batch(&[]), Ok(vec![]));
    assert_eq!(decode_tx(&[3, 0xc0]), Err(TxDecodeError::BlobTransaction));
    assert_eq!(decode_tx(&[4, 0xc0]), Err(TxDecodeError::SetCodeTransaction));
    for ty in (0..=0x7f).filter(|t| !(1..=4).contains(t)) {
        assert_eq!(decode_tx(&[ty, 0xc0]), Err(TxDecodeError::UnknownType { ty }));
    }
    for byte in 0x80..=0xbf {
        assert_eq!(decode_tx(&[byte, 0xc0]), Err(TxDecodeError::NotATransaction { byte }));
    }
    let tx = TxEip1559 { to: TxKind::Create, ..Default::default() };
    let env: TxEnvelope = tx.into_signed(Signature::test_signature()).into();
    let mut raw = env.encoded_2718();
    assert!(compare(&raw));
    raw.push(0);
    assert_eq!(decode_tx(&raw), Err(TxDecodeError::TrailingBytes { count: 1 }));
    let error = decode_batch(&raw).unwrap_err();
    assert_eq!((error.index, error.offset), (1, raw.len() - 1));
    // A type byte 0 before a legacy list is refused, as are a length of 2⁶⁴ − 1 and a list inside a string.
    let legacy =
        TxLegacy { to: TxKind::Create, ..Default::default() }.into_signed(Signature::test_signature());
    let mut prefixed = vec![0];
    prefixed.extend(TxEnvelope::from(legacy).encoded_2718());
    assert!(!compare(&prefixed));
    assert!(!compare(&[0xff; 12]));
    assert!(!compare(&[0xb8, 0x40, 0xc0]));
}

#[test]
fn accepts_intrinsic_gas_of_each_part() {
    let base = TxEip1559 { to: TxKind::Call(Address::ZERO), ..Default::default() };
    let gas = |tx: TxEip1559| {
        let env: TxEnvelope = tx.into_signed(Signature::test_signature()).into();
        decode_tx(&env.encoded_2718()).unwrap().intrinsic_gas()
    };
    assert_eq!(gas(base.clone()), 21_000);
    assert_eq!(gas(TxEip1559 { input: Bytes::from_static(&[0, 1, 0]), ..base.clone() }), 21_000 + 16 + 8);
    let item = AccessListItem { address: Address::ZERO, storage_keys: vec![B256::ZERO; 2] };
    let list = AccessList(vec![item.clone(), item]);
    assert_eq!(gas(TxEip1559 { access_list: list, ..base.clone() }), 21_000 + 2 * 2_400 + 4 * 1_900);
    let create = TxEip1559 { to: TxKind::Create, input: Bytes::from(vec![1; 33]), ..base };
    assert_eq!(gas(create), 21_000 + 32_000 + 33 * 16 + 2 * 2);
}
