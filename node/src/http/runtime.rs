//! Threads of the server's own: however many calls clients make, the stages of the node find theirs.

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads for calls that read the database or execute. Calls beyond wait in the order in which they came.
const CALL_THREADS: usize = 64;

/// A runtime that can be dropped anywhere; what runs in it then is dropped too.
pub struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start() -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.thread_name("cairn-http").max_blocking_threads(CALL_THREADS).enable_all();
        Ok(Self(Some(builder.build()?)))
    }

    /// Where tasks are spawned.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
