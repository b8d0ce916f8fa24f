//! Canonical RLP, read with byte offsets. Source: Ethereum Yellow Paper, appendix B.
//!
//! Every value has exactly one accepted encoding: lengths and integers without leading zeros, lengths below 56 in
//! the first byte, a single byte below 0x80 as itself.

use alloy_primitives::U256;

/// Why bytes are not the canonical RLP that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RlpError {
    #[error("the item does not fit the bytes that remain")]
    UnexpectedEnd,
    #[error("the length is not written in its shortest form")]
    NonCanonicalLength,
    #[error("a single byte below 0x80 must be encoded as itself, without a prefix")]
    NonCanonicalByte,
    #[error("an integer must not have leading zeros")]
    LeadingZero,
    #[error("the integer has {got} bytes, at most {max} are allowed")]
    IntegerTooLarge { max: usize, got: usize },
    #[error("expected a string, got a list")]
    ExpectedString,
    #[error("expected a list, got a string")]
    ExpectedList,
    #[error("expected {expected} bytes, got {got}")]
    WrongLength { expected: usize, got: usize },
    #[error("{bytes} bytes follow the last expected item of the list")]
    ExtraItems { bytes: usize },
}

/// Where an RLP item lies: offsets into the bytes that were decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemLayout {
    /// First byte of the item, its prefix included.
    pub start: usize,
    /// First byte of its payload; equals `start` for a single byte below 0x80.
    pub payload: usize,
    /// One past its last byte.
    pub end: usize,
}

impl ItemLayout {
    /// Length of the payload in bytes.
    #[must_use]
    pub const fn payload_len(&self) -> usize {
        self.end - self.payload
    }
}

/// Reads consecutive items of `bytes[pos..end]`.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of everything from `pos` on.
    pub(crate) const fn new(bytes: &'a [u8], pos: usize) -> Self {
        Self { bytes, pos, end: bytes.len() }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.pos == self.end
    }

    /// Fails unless everything was read.
    pub(crate) const fn finish(&self) -> Result<(), RlpError> {
        if self.is_at_end() { Ok(()) } else { Err(RlpError::ExtraItems { bytes: self.end - self.pos }) }
    }

    /// The next item: whether it is a list, and where it lies.
    fn item(&mut self) -> Result<(bool, ItemLayout), RlpError> {
        let rest = &self.bytes[self.pos..self.end];
        let &prefix = rest.first().ok_or(RlpError::UnexpectedEnd)?;
        let (is_list, short) = match prefix {
            0..=0x7f => {
                let layout = ItemLayout { start: self.pos, payload: self.pos, end: self.pos + 1 };
                self.pos += 1;
                return Ok((false, layout));
            }
            0x80..=0xbf => (false, prefix - 0x80),
            0xc0..=0xff => (true, prefix - 0xc0),
        };
        let (header, length) = if short < 56 {
            (1, usize::from(short))
        } else {
            let width = usize::from(short) - 55;
            let digits = rest.get(1..=width).ok_or(RlpError::UnexpectedEnd)?;
            if digits[0] == 0 {
                return Err(RlpError::NonCanonicalLength);
            }
            // At most eight bytes, so the sum cannot overflow.
            let length = digits.iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
            if length < 56 {
                return Err(RlpError::NonCanonicalLength);
            }
            (1 + width, usize::try_from(length).map_err(|_| RlpError::UnexpectedEnd)?)
        };
        if rest.len() - header < length {
            return Err(RlpError::UnexpectedEnd);
        }
        if !is_list && short == 1 && rest[1] < 0x80 {
            return Err(RlpError::NonCanonicalByte);
        }
        let payload = self.pos + header;
        let layout = ItemLayout { start: self.pos, payload, end: payload + length };
        self.pos = layout.end;
        Ok((is_list, layout))
    }

    /// The next item, a list: a reader of its items.
    pub(crate) fn list(&mut self) -> Result<(Reader<'a>, ItemLayout), RlpError> {
        let (is_list, layout) = self.item()?;
        if !is_list {
            return Err(RlpError::ExpectedList);
        }
        Ok((Reader { bytes: self.bytes, pos: layout.payload, end: layout.end }, layout))
    }

    /// The next item, a string.
    pub(crate) fn string(&mut self) -> Result<(&'a [u8], ItemLayout), RlpError> {
        let (is_list, layout) = self.item()?;
        if is_list {
            return Err(RlpError::ExpectedString);
        }
        Ok((&self.bytes[layout.payload..layout.end], layout))
    }

    /// The next item, a string of exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RlpError> {
        let (bytes, _) = self.string()?;
        bytes.try_into().map_err(|_| RlpError::WrongLength { expected: N, got: bytes.len() })
    }

    /// The next item, an unsigned integer of at most `max_bytes` (up to 32) bytes.
    pub(crate) fn uint(&mut self, max_bytes: usize) -> Result<(U256, ItemLayout), RlpError> {
        let (bytes, layout) = self.string()?;
        if bytes.first() == Some(&0) {
            return Err(RlpError::LeadingZero);
        }
        if bytes.len() > max_bytes {
            return Err(RlpError::IntegerTooLarge { max: max_bytes, got: bytes.len() });
        }
        Ok((U256::from_be_slice(bytes), layout))
    }
}

/// Appends the prefix of a list with a payload of `length` bytes.
pub(crate) fn push_list_header(length: usize, out: &mut Vec<u8>) {
    alloy_rlp::Header { list: true, payload_length: length }.encode(out);
}
