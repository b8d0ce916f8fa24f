//! Proving keys on disk: one file a circuit, named after the circuit's digest.
//!
//! ```text
//! "CAIRNKEY" ‖ u32 version ‖ digest ‖ lengths ‖ fixed points ‖ columns ‖ points ‖ checksum
//! ```
//! The number of h's points is not among the lengths: it follows from the circuit's domain, and that from the number of
//! constraints, so that a key for another kind of domain cannot be read as one for this.
//!
//! Points are the Montgomery limbs of their affine coordinates, little-endian: read without a multiplication. They are not
//! validated again; the checksum (keccak256 over the keccak256 of every block) finds accidents, not forgeries: whoever
//! can write the file can replace the key. The matrices are not stored: the circuit in hand gives them, and with them
//! the digest, so that a changed circuit never meets an old key.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{B256, Keccak256, keccak256};
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{BigInt, Zero};
use rayon::prelude::*;

use crate::{
    circuit::Recorded,
    keys::{KeyDefect, ProvingKey, Query, VerifyingKey},
    qap,
    setup::{Observer, Phase, SetupError, setup},
};

const MAGIC: &[u8; 8] = b"CAIRNKEY";
const VERSION: u32 = 2;
/// Magic, version, digest, four lengths.
const HEADER_BYTES: usize = 8 + 4 + 32 + 4 * 8;
/// Elements of a block, the unit of hashing and of parallel work.
const BLOCK: usize = 1 << 14;
/// Blocks in memory at a time.
const BLOCKS: usize = 32;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("cannot access the key file {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is not a proving key: remove it to have the key made anew")]
    NotAKey { path: PathBuf },
    #[error("{path} has version {got}, expected {expected}: remove it to have the key made anew")]
    Version { path: PathBuf, expected: u32, got: u32 },
    #[error(
        "{path} is the key of circuit {got}, expected {expected}: name it {got:x}.key, or remove it to have the key made anew"
    )]
    WrongCircuit { path: PathBuf, expected: B256, got: B256 },
    #[error("{path} has {got} bytes, expected {expected}: remove it to have the key made anew")]
    Length { path: PathBuf, expected: u64, got: u64 },
    #[error("{path} is corrupted: its checksum does not match; remove it to have the key made anew")]
    Corrupted { path: PathBuf },
    #[error("{path} holds an unusable key: remove it to have the key made anew")]
    Defect { path: PathBuf, source: KeyDefect },
    #[error("{path} exists already")]
    Exists { path: PathBuf },
    #[error("no key could be made")]
    Setup(#[from] SetupError),
}

/// Where the key of a circuit lies in `dir`.
#[must_use]
pub fn path(dir: &Path, digest: B256) -> PathBuf {
    dir.join(format!("{digest:x}.key"))
}

/// The key of `circuit` from `dir`, made and stored there if it is missing. A file that is there but unusable is an
/// error, never overwritten. Of several processes that make the key at once, all end up with the one stored first.
pub fn load_or_setup(
    dir: &Path,
    circuit: Recorded,
    observer: &dyn Observer,
) -> Result<ProvingKey, KeyFileError> {
    let path = path(dir, circuit.digest());
    let exists = path.try_exists().map_err(|source| KeyFileError::Io { path: path.clone(), source })?;
    if exists {
        return load(&path, circuit, observer);
    }
    let key = setup(circuit, observer)?;
    match save(&path, &key, observer) {
        Ok(_) => Ok(key),
        Err(KeyFileError::Exists { .. }) => load(&path, key.circuit, observer),
        Err(other) => Err(other),
    }
}

/// Writes a key beside `path`, then links it there: a reader sees a whole file or none, and no file is ever replaced.
/// Returns its size in bytes.
pub fn save(path: &Path, key: &ProvingKey, observer: &dyn Observer) -> Result<u64, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_path_buf(), source };
    observer.progress(Phase::Write, 0.0);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(io)?;
    }
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}.{serial}.tmp", std::process::id()));
    let written = File::create(&temporary).and_then(|file| {
        let mut out = Hashed { file, hash: Keccak256::new() };
        write_key(&mut out, key)?;
        let checksum = out.hash.finalize();
        out.file.write_all(checksum.as_slice())?;
        out.file.sync_all()?;
        out.file.metadata()
    });
    let linked = written.and_then(|meta| fs::hard_link(&temporary, path).map(|()| meta.len()));
    // The error to report is that of the write; a leftover temporary file is harmless.
    let _ = fs::remove_file(&temporary);
    observer.progress(Phase::Write, 1.0);
    linked.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_path_buf() },
        _ => io(source),
    })
}

/// Reads a key for `circuit`.
pub fn load(path: &Path, circuit: Recorded, observer: &dyn Observer) -> Result<ProvingKey, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_path_buf(), source };
    observer.progress(Phase::Read, 0.0);
    let file = File::open(path).map_err(io)?;
    let got = file.metadata().map_err(io)?.len();
    let mut input = Hashed { file, hash: Keccak256::new() };
    let lengths = read_header(&mut input, path, circuit.digest(), got)?;
    let constraints = circuit.shape().constraints;
    let h = qap::domain_size(constraints).ok_or(SetupError::TooManyConstraints { constraints })? as u64 - 1;
    let expected = file_bytes(lengths, h);
    if got != expected {
        return Err(KeyFileError::Length { path: path.to_path_buf(), expected, got });
    }
    let key = read_key(&mut input, lengths, h, circuit, observer).map_err(io)?;
    let mut checksum = [0u8; 32];
    input.file.read_exact(&mut checksum).map_err(io)?;
    if input.hash.finalize() != checksum {
        return Err(KeyFileError::Corrupted { path: path.to_path_buf() });
    }
    key.vk.check().map_err(|source| KeyFileError::Defect { path: path.to_path_buf(), source })?;
    observer.progress(Phase::Read, 1.0);
    Ok(key)
}

/// Numbers of elements: a, b, l, committed.
type Lengths = [u64; 4];

const G1_BYTES: u64 = G1Affine::BYTES as u64;

fn file_bytes([a, b, l, k]: Lengths, h: u64) -> u64 {
    let fixed = 7 * G1_BYTES + 4 * G2Affine::BYTES as u64;
    let columns = 4u64.saturating_mul(a.saturating_add(b).saturating_add(l).saturating_add(k));
    let g1 = [a, b, l, h, k, k].iter().fold(0u64, |sum, n| sum.saturating_add(n.saturating_mul(G1_BYTES)));
    let g2 = b.saturating_mul(G2Affine::BYTES as u64);
    (HEADER_BYTES as u64 + 32 + fixed).saturating_add(columns).saturating_add(g1).saturating_add(g2)
}

fn write_key(out: &mut Hashed, key: &ProvingKey) -> io::Result<()> {
    let lengths = [&key.a.points, &key.b1, &key.l.points, &key.committed.points].map(|q| q.len() as u64);
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(key.circuit.digest().as_slice());
    lengths.iter().for_each(|n| header.extend_from_slice(&n.to_le_bytes()));
    out.write_block(&header)?;

    let vk = &key.vk;
    out.write(&[vk.alpha1, vk.ic[0], vk.ic[1], vk.ic[2], vk.ic[3], key.beta1, key.delta1])?;
    out.write(&[vk.beta2, vk.gamma2, vk.delta2, vk.sigma2])?;
    for columns in [&key.a.columns, &key.b2.columns, &key.l.columns, &key.committed.columns] {
        out.write(columns)?;
    }
    let g1 = [&key.a.points, &key.b1, &key.l.points, &key.h, &key.committed.points, &key.committed_sigma];
    g1.into_iter().try_for_each(|points| out.write(points))?;
    out.write(&key.b2.points)
}

fn read_header(input: &mut Hashed, path: &Path, expected: B256, bytes: u64) -> Result<Lengths, KeyFileError> {
    let not_a_key = || KeyFileError::NotAKey { path: path.to_path_buf() };
    let mut header = [0u8; HEADER_BYTES];
    if bytes < HEADER_BYTES as u64 {
        return Err(not_a_key());
    }
    input.read_block(&mut header).map_err(|source| KeyFileError::Io { path: path.to_path_buf(), source })?;
    if &header[..8] != MAGIC {
        return Err(not_a_key());
    }
    let got = u32::take(&header[8..12]);
    if got != VERSION {
        return Err(KeyFileError::Version { path: path.to_path_buf(), expected: VERSION, got });
    }
    let got = B256::from_slice(&header[12..44]);
    if got != expected {
        return Err(KeyFileError::WrongCircuit { path: path.to_path_buf(), expected, got });
    }
    let mut lengths = [0u64; 4];
    lengths.iter_mut().zip(header[44..].chunks_exact(8)).for_each(|(n, bytes)| *n = le_u64(bytes));
    Ok(lengths)
}

fn read_key(
    input: &mut Hashed,
    [a, b, l, k]: Lengths,
    h: u64,
    circuit: Recorded,
    observer: &dyn Observer,
) -> io::Result<ProvingKey> {
    let g1: Vec<G1Affine> = input.read(7)?;
    let g2: Vec<G2Affine> = input.read(4)?;
    let [a_columns, b_columns, l_columns, k_columns] =
        [input.read(a)?, input.read(b)?, input.read(l)?, input.read(k)?];
    let all = (a + b + l + h + 2 * k + 2 * b).max(1) as f64;
    let mut done = 0;
    let mut points = |n: u64| {
        let points = input.read(n);
        done += n;
        observer.progress(Phase::Read, done as f64 / all);
        points
    };
    let [a, b1, l, h, k, k_sigma] = [points(a)?, points(b)?, points(l)?, points(h)?, points(k)?, points(k)?];
    let vk = VerifyingKey {
        alpha1: g1[0],
        beta2: g2[0],
        gamma2: g2[1],
        delta2: g2[2],
        sigma2: g2[3],
        ic: [g1[1], g1[2], g1[3], g1[4]],
    };
    Ok(ProvingKey {
        vk,
        circuit,
        beta1: g1[5],
        delta1: g1[6],
        a: Query { columns: a_columns, points: a },
        b2: Query { columns: b_columns, points: input.read(b)? },
        b1,
        l: Query { columns: l_columns, points: l },
        h,
        committed: Query { columns: k_columns, points: k },
        committed_sigma: k_sigma,
    })
}

/// A file and the hash of all its blocks so far.
struct Hashed {
    file: File,
    hash: Keccak256,
}

impl Hashed {
    fn write_block(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(keccak256(bytes));
        self.file.write_all(bytes)
    }

    fn read_block(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact(bytes)?;
        self.hash.update(keccak256(bytes));
        Ok(())
    }

    fn write<T: Raw>(&mut self, items: &[T]) -> io::Result<()> {
        for group in items.chunks(BLOCK * BLOCKS) {
            let blocks: Vec<_> = group
                .par_chunks(BLOCK)
                .map(|block| {
                    let mut bytes = vec![0u8; block.len() * T::BYTES];
                    block
                        .iter()
                        .zip(bytes.chunks_exact_mut(T::BYTES))
                        .for_each(|(item, slot)| item.put(slot));
                    (keccak256(&bytes), bytes)
                })
                .collect();
            for (digest, bytes) in blocks {
                self.hash.update(digest);
                self.file.write_all(&bytes)?;
            }
        }
        Ok(())
    }

    fn read<T: Raw>(&mut self, len: u64) -> io::Result<Vec<T>> {
        let mut left = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut items = Vec::with_capacity(left);
        let mut bytes = vec![0u8; left.min(BLOCK * BLOCKS) * T::BYTES];
        while left > 0 {
            let group = left.min(BLOCK * BLOCKS);
            let bytes = &mut bytes[..group * T::BYTES];
            self.file.read_exact(bytes)?;
            let digests: Vec<_> = bytes.par_chunks(BLOCK * T::BYTES).map(keccak256).collect();
            digests.iter().for_each(|digest| self.hash.update(digest));
            items.par_extend(bytes.par_chunks_exact(T::BYTES).with_min_len(1024).map(T::take));
            left -= group;
        }
        Ok(items)
    }
}

/// A fixed number of bytes.
trait Raw: Send + Sync + Sized {
    const BYTES: usize;
    fn put(&self, out: &mut [u8]);
    /// `bytes` has [`Self::BYTES`] bytes.
    fn take(bytes: &[u8]) -> Self;
}

impl Raw for u32 {
    const BYTES: usize = 4;

    fn put(&self, out: &mut [u8]) {
        out.copy_from_slice(&self.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> Self {
        bytes.iter().rev().fold(0, |acc, b| acc << 8 | Self::from(*b))
    }
}

impl Raw for Fq {
    const BYTES: usize = 32;

    fn put(&self, out: &mut [u8]) {
        out.chunks_exact_mut(8)
            .zip(self.0.0)
            .for_each(|(slot, limb)| slot.copy_from_slice(&limb.to_le_bytes()));
    }

    fn take(bytes: &[u8]) -> Self {
        let mut limbs = [0u64; 4];
        limbs.iter_mut().zip(bytes.chunks_exact(8)).for_each(|(limb, bytes)| *limb = le_u64(bytes));
        // Unchecked: put() wrote the limbs of an element, and the checksum is verified before the key is used.
        Self::new_unchecked(BigInt(limbs))
    }
}

impl Raw for Fq2 {
    const BYTES: usize = 64;

    fn put(&self, out: &mut [u8]) {
        self.c0.put(&mut out[..32]);
        self.c1.put(&mut out[32..]);
    }

    fn take(bytes: &[u8]) -> Self {
        Self::new(Fq::take(&bytes[..32]), Fq::take(&bytes[32..]))
    }
}

impl<P: SWCurveConfig<BaseField: Raw>> Raw for Affine<P> {
    const BYTES: usize = 2 * <P::BaseField as Raw>::BYTES;

    /// Infinity is (0, 0), which is not on the curve.
    fn put(&self, out: &mut [u8]) {
        let (x, y) = out.split_at_mut(<P::BaseField as Raw>::BYTES);
        let (px, py) = self.xy().unwrap_or_default();
        px.put(x);
        py.put(y);
    }

    fn take(bytes: &[u8]) -> Self {
        let (x, y) = bytes.split_at(<P::BaseField as Raw>::BYTES);
        let (x, y) = (P::BaseField::take(x), P::BaseField::take(y));
        // Unchecked, see above: validating a million points would take longer than making a proof.
        if x.is_zero() && y.is_zero() { Self::identity() } else { Self::new_unchecked(x, y) }
    }
}

fn le_u64(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b))
}
