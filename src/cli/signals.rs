//! SIGTERM and SIGINT: the first asks the server to finish, the second ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Becomes true at the first signal.
#[derive(Clone)]
pub(super) struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Takes the two signals over for the rest of the process. Must run inside the runtime.
    pub(super) fn on_signals() -> std::io::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            let first = either(&mut terminate, &mut interrupt).await;
            tracing::info!(signal = first.name, "stopping; a second signal ends the server at once");
            // The receiver lives as long as the server; without one there is nobody left to tell.
            let _ = sender.send(true);
            let second = either(&mut terminate, &mut interrupt).await;
            std::process::exit(second.exit_code);
        });
        Ok(Self(receiver))
    }

    /// Waits for the first signal.
    pub(super) async fn requested(mut self) {
        // An error means that the sender is gone, and that happens only after the signal.
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}

struct Caught {
    name: &'static str,
    exit_code: i32,
}

/// Shells report a program that a signal ended as 128 + the signal's number.
async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> Caught {
    tokio::select! {
        _ = terminate.recv() => Caught { name: "SIGTERM", exit_code: 143 },
        _ = interrupt.recv() => Caught { name: "SIGINT", exit_code: 130 },
    }
}
