//! Every kind of record: its bytes, its versions, its damage.

use std::sync::Arc;

use alloy_primitives::{Bytes, Log, U256};
use cairn_protocol::resources::{Resource, Rows};
use cairn_sequencer::{
    batch::{CloseReason, SealedBatch},
    pool::StoredTx,
    shapes::ShapeId,
};
use cairn_state::{MemoryStore, RocksStore};
use serde::Serialize;

use super::*;
use crate::{
    l1::{
        error::{Revert, RevertValue},
        fees::Fees,
        store::{Attempt, Outcome, SendRecord, Sent},
    },
    records::{ProofMeasure, SettlementMeasure},
};

const HASH: B256 = B256::repeat_byte(0x11);
const ADDRESS: Address = Address::repeat_byte(0x22);

fn block() -> BlockRecord {
    let log = Log::new_unchecked(ADDRESS, vec![HASH], Bytes::from_static(b"data"));
    let transaction = TxRecord {
        raw: Bytes::from_static(b"raw"),
        hash: HASH,
        sender: ADDRESS,
        success: true,
        gas_used: 21_000,
        gas_price_wei: u128::MAX,
        logs: vec![log],
    };
    let header = Bytes::from_static(b"header");
    BlockRecord { hash: HASH, header, batch: 3, transaction: Some(transaction) }
}

fn header() -> BatchHeader {
    BatchHeader {
        number: 300,
        timestamp: 1_700_000_000,
        opened_ms: 1_700_000_000_123,
        coinbase: ADDRESS,
        global_exit_root: HASH,
        first_block: 4,
    }
}

fn batch() -> BatchRecord {
    let batch = SealedBatch {
        header: header(),
        last_block: 9,
        transactions: Bytes::from_static(b"transactions"),
        counters: Rows::new(&[(Resource::Bytes, 300), (Resource::TreeRows, 7)]),
        gas_used: 42_000,
        reason: CloseReason::Age,
    };
    BatchRecord {
        batch,
        old_acc_input_hash: HASH,
        acc_input_hash: B256::repeat_byte(0x33),
        old_state_root: B256::repeat_byte(0x44),
        state_root: B256::repeat_byte(0x55),
        local_exit_root: B256::ZERO,
        sealed_ms: 1_700_000_000_456,
    }
}

fn l1_job() -> SendRecord {
    let sent = Sent {
        hash: HASH,
        nonce: 1,
        block_number: 2,
        block_hash: HASH,
        gas_used: 3,
        gas_price_wei: 4,
        created: Some(ADDRESS),
    };
    let values = vec![RevertValue { name: "id".into(), value: "5".into() }];
    let revert = Revert::Custom { name: "BatchOutOfOrder".into(), values };
    SendRecord {
        job: "verify-7".into(),
        chain_id: 31_337,
        account: ADDRESS,
        nonce: 1,
        to: Some(ADDRESS),
        data: Bytes::from_static(b"call"),
        value_wei: U256::from(5),
        gas_limit: 6,
        since_block: 7,
        attempts: vec![Attempt {
            hash: HASH,
            raw: Bytes::from_static(b"raw"),
            fees: Fees { max_fee_wei: 8, max_priority_fee_wei: 9 },
        }],
        outcome: Some(Outcome::Reverted { sent, revert }),
    }
}

/// A record of `kind`, as it is stored.
fn sample(kind: Kind) -> Vec<u8> {
    fn stored<T: Serialize>(kind: Kind, value: &T) -> Vec<u8> {
        let storage = Storage::open(Arc::new(MemoryStore::new())).unwrap();
        storage.set(kind, b"id", value).unwrap();
        storage.store.get(kind.table(), &kind.key(b"id")).unwrap().unwrap()
    }
    match kind {
        Kind::Block => stored(kind, &block()),
        Kind::BlockHash | Kind::Transaction | Kind::Probe => stored(kind, &1_000_000u64),
        Kind::Batch => stored(kind, &batch()),
        Kind::OpenBatch => stored(kind, &header()),
        Kind::Pool => stored(kind, &StoredTx { raw: Bytes::from_static(b"raw"), received_s: 7 }),
        Kind::Sequence | Kind::Verification => {
            stored(kind, &SequenceRecord { first_batch: 1, last_batch: 2, l1_tx_hash: HASH })
        }
        Kind::L1Job => stored(kind, &l1_job()),
        Kind::Proof => {
            let pending = ProofJob::Pending { witness: Bytes::from_static(b"witness") };
            let proven = ProofJob::Proven { shape_id: 1, words: Box::new([U256::from(0xabcd); 12]) };
            [stored(kind, &pending), stored(kind, &proven)].concat()
        }
        Kind::Dropped => stored(kind, &DroppedRecord { reason: "nonce too low".into(), at_s: 8 }),
        Kind::DroppedOrder => stored(kind, &HASH),
        Kind::Mode => stored(kind, &"groth16".to_owned()),
        Kind::ExitRoots => {
            let [global_exit_root, mainnet_exit_root, rollup_exit_root] = [1, 2, 3].map(B256::repeat_byte);
            let (block_number, timestamp) = (4, 5);
            let update = ExitRootUpdate {
                global_exit_root,
                mainnet_exit_root,
                rollup_exit_root,
                block_number,
                timestamp,
            };
            stored(kind, &update)
        }
        Kind::ExitRootProgress => stored(kind, &ExitRootProgress { next_block: 6, latest: Some(HASH) }),
        Kind::AddressTransaction => stored(kind, &()),
        Kind::ProofMeasure => {
            stored(kind, &ProofMeasure { started_ms: 7, seconds: Some(1.5), shape: ShapeId(60_008) })
        }
        Kind::SettlementMeasure => stored(kind, &SettlementMeasure { gas_used: 8, settled_ms: 9 }),
    }
}

/// A changed layout needs another version: raise it in [`Kind::record`], then run this with `UPDATE_VECTORS=1`.
#[test]
fn accepts_the_bytes_of_each_version() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/storage/tests/records.txt");
    let written = Kind::ALL.map(|kind| format!("{kind:?} {}\n", hex::encode(sample(kind))));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(path, written.concat()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert_eq!(committed.lines().count(), Kind::ALL.len());
    for ((kind, written), committed) in Kind::ALL.iter().zip(&written).zip(committed.lines()) {
        if *kind == Kind::Batch {
            // Its rows have names: a resource that is new is none in a record from before, and no new version.
            let bytes = hex::decode(committed.split_once(' ').unwrap().1).unwrap();
            assert_eq!(decode::<BatchRecord>(*kind, b"key", &bytes).unwrap(), batch());
        } else {
            assert_eq!(written.trim_end(), committed);
        }
    }
}

#[test]
fn accepts_records_as_they_were_put() {
    let storage = Storage::open(Arc::new(MemoryStore::new())).unwrap();
    storage.set(Kind::Block, &1u64.to_be_bytes(), &block()).unwrap();
    storage.set(Kind::Batch, &2u64.to_be_bytes(), &batch()).unwrap();
    storage.set(Kind::L1Job, b"job", &l1_job()).unwrap();
    assert_eq!(storage.block(1).unwrap(), Some(block()));
    assert_eq!(storage.batch(2).unwrap(), Some(batch()));
    assert_eq!(storage.get::<SendRecord>(Kind::L1Job, b"job").unwrap(), Some(l1_job()));
    let mut seen = Vec::new();
    storage
        .scan_blocks::<StorageError>(0..=1, |raw| {
            seen.push((raw.number, raw.hash, raw.header.to_vec(), raw.decode()?));
            Ok(true)
        })
        .unwrap();
    assert!(seen.is_empty(), "a scan starts at its first block");
    storage
        .scan_blocks::<StorageError>(1..=1, |raw| {
            seen.push((raw.number, raw.hash, raw.header.to_vec(), raw.decode()?));
            Ok(true)
        })
        .unwrap();
    assert_eq!(seen, [(1, HASH, b"header".to_vec(), block())]);
}

/// In memory and on the disk: table, key, both versions and what to do.
#[test]
fn rejects_each_kind_in_another_version_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(RocksStore::open(dir.path()).unwrap())];
    for store in stores {
        let storage = Storage::open(Arc::clone(&store)).unwrap();
        for kind in Kind::ALL {
            let record = kind.record();
            let mut value = sample(kind);
            value[0] = record.version - 1;
            let id = 5u64.to_be_bytes();
            let mut writes = Batch::new();
            writes.put(kind.table(), kind.key(&id), value);
            store.write(writes).unwrap();
            let key = hex::encode_prefixed(kind.key(&id));
            let expected = StoreError::OtherVersion {
                table: record.table.name(),
                record: record.name,
                key: key.clone(),
                expected: record.version,
                got: record.version - 1,
            };
            // The version is judged before the content: any type will do.
            let errors = [
                storage.get::<()>(kind, &id).unwrap_err(),
                storage.all::<()>(kind).unwrap_err(),
                storage.last::<()>(kind).unwrap_err(),
                storage.first_from::<()>(kind, &[]).unwrap_err(),
            ];
            for error in errors {
                let text = error.to_string();
                assert!(matches!(error, StorageError::Store(got) if got == expected), "{text}");
                let versions = [record.version - 1, record.version].map(|v| format!("version {v}"));
                for part in [record.name, &key, &versions[0], &versions[1], "remove the database"] {
                    assert!(text.contains(part), "{part}: {text}");
                }
            }
        }
        let scanned = storage.scan_blocks::<StorageError>(5..=5, |_| Ok(true)).unwrap_err();
        assert!(matches!(scanned, StorageError::Store(StoreError::OtherVersion { record: "block", .. })));
        let sent = crate::l1::store::SendStore::list(&storage, 5, ADDRESS);
        assert!(sent.unwrap().is_empty(), "the record above is another account's");
        // A node does not start on such a database.
        let opened = Storage::open(store).map(|_| ()).unwrap_err();
        assert!(matches!(
            opened,
            StorageError::Store(StoreError::OtherVersion { record: "order of dropping", .. })
        ));
    }
}

#[test]
fn rejects_damaged_content_by_kind_and_key() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let storage = Storage::open(Arc::clone(&store)).unwrap();
    let put_raw = |kind: Kind, value: Vec<u8>| {
        let mut writes = Batch::new();
        writes.put(kind.table(), kind.key(b"id"), value);
        store.write(writes).unwrap();
    };
    let whole = sample(Kind::Sequence);
    let get = || storage.get::<SequenceRecord>(Kind::Sequence, b"id");
    for length in 1..whole.len() {
        put_raw(Kind::Sequence, whole[..length].to_vec());
        let error = get().unwrap_err();
        assert!(matches!(&error, StorageError::Damaged { kind: Kind::Sequence, .. }), "{error}");
        assert!(error.to_string().contains(&hex::encode_prefixed(Kind::Sequence.key(b"id"))), "{error}");
    }
    put_raw(Kind::Sequence, [&whole[..], &[0]].concat());
    let error = get().unwrap_err();
    assert!(
        matches!(&error, StorageError::Damaged { source: EncodingError::TrailingBytes { left: 1 }, .. }),
        "{error}"
    );
    put_raw(Kind::Sequence, Vec::new());
    assert!(matches!(get(), Err(StorageError::Store(StoreError::Corrupt { table: "l1", .. }))));
}
