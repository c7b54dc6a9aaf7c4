//! Ctrl-C: once stops cleanly with everything saved, twice ends at once.

use std::sync::atomic::Ordering;
use threadbare_stress::vm::child::INTERRUPTED;

/// Installs the handlers.
pub fn install() -> anyhow::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
    ])?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            // Relaxed: the flag carries no data.
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            eprintln!("\nstopping; what was found is being saved (Ctrl-C again ends at once)");
        }
    });
    Ok(())
}
