//! `rpc_discover`: the OpenRPC document of this node. Spec: docs/rpc.md#rpc_discover.
//! The document is not made here: `node/openrpc/openrpc.json` is joined from its parts, and held to the methods, by
//! `node/tests/openrpc.rs`.

use jsonrpsee::{core::RpcResult, proc_macros::rpc, types::ErrorCode};
use serde_json::value::RawValue;

/// The document, as text.
pub const DOCUMENT: &str = include_str!("../../openrpc/openrpc.json");

/// Methods of the `rpc` namespace.
#[rpc(server, namespace = "rpc")]
pub trait DiscoverApi {
    #[method(name = "discover")]
    fn discover(&self) -> RpcResult<Box<RawValue>>;
}

/// Serves the document.
#[derive(Clone, Copy, Debug)]
pub struct DiscoverRpc;

impl DiscoverApiServer for DiscoverRpc {
    fn discover(&self) -> RpcResult<Box<RawValue>> {
        RawValue::from_string(DOCUMENT.to_owned()).map_err(|_| ErrorCode::InternalError.into())
    }
}
