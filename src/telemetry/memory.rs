//! How much memory the process has.

/// Bytes that are resident, where the system says so (Linux: `/proc/self/statm`, in pages of 4 KiB).
pub fn resident() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}
