//! The records of L1 transactions, as the sender keeps them.

use alloy_primitives::Address;
use cairn_state::Batch;

use super::{Kind, Storage, decode, delete};
use crate::l1::store::{SendRecord, SendStore, SendStoreError};

fn send_id(chain_id: u64, account: Address, job: &str) -> Vec<u8> {
    [&chain_id.to_be_bytes(), account.as_slice(), job.as_bytes()].concat()
}

fn send_error(e: impl std::error::Error + Send + Sync + 'static) -> SendStoreError {
    SendStoreError(Box::new(e))
}

impl SendStore for Storage {
    fn put(&self, record: &SendRecord) -> Result<(), SendStoreError> {
        let id = send_id(record.chain_id, record.account, &record.job);
        self.set(Kind::L1Job, &id, record).map_err(send_error)
    }

    fn get(&self, chain_id: u64, account: Address, job: &str) -> Result<Option<SendRecord>, SendStoreError> {
        Storage::get(self, Kind::L1Job, &send_id(chain_id, account, job)).map_err(send_error)
    }

    fn list(&self, chain_id: u64, account: Address) -> Result<Vec<SendRecord>, SendStoreError> {
        let prefix = Kind::L1Job.key(&send_id(chain_id, account, ""));
        let mut found = Vec::new();
        self.store
            .scan(Kind::L1Job.table(), &prefix, &mut |k, v| {
                let own = k.starts_with(&prefix);
                if own {
                    found.push(decode(Kind::L1Job, k, v).map_err(send_error));
                }
                own
            })
            .map_err(send_error)?;
        found.into_iter().collect()
    }

    fn remove(&self, chain_id: u64, account: Address, job: &str) -> Result<(), SendStoreError> {
        let mut writes = Batch::new();
        delete(&mut writes, Kind::L1Job, &send_id(chain_id, account, job));
        self.write(writes).map_err(send_error)
    }
}
