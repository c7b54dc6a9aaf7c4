//! The words in which a process says why it ended.

/// Name of a signal.
pub fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |s| s.as_str().to_owned())
}

/// A Rust panic: `file:line: message`, the file relative to its crate.
pub fn panic(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines();
    let line = lines.find(|l| l.contains("panicked at "))?;
    let place = line
        .split("panicked at ")
        .nth(1)?
        .trim_end_matches(':')
        .trim();
    let mut parts = place.rsplitn(3, ':');
    let (column, number, file) = (parts.next()?, parts.next()?, parts.next()?);
    if column.parse::<u32>().is_err() || number.parse::<u32>().is_err() {
        return None;
    }
    let message = lines.next().unwrap_or("").trim();
    Some(format!(
        "{}:{number}: {}",
        masked(crate_relative(file)),
        mask(message)
    ))
}

/// `…/registry/src/index/rustpython-vm-0.5.0/src/x.rs` → `rustpython-vm-0.5.0/src/x.rs`.
pub(crate) fn crate_relative(file: &str) -> &str {
    match file.find("/src/") {
        Some(_) => {
            let src = file.rfind("/src/").unwrap_or(0);
            let start = file[..src].rfind('/').map_or(0, |i| i + 1);
            &file[start..]
        }
        None => file,
    }
}

/// Most characters of a line that is told.
const MOST: usize = 300;

/// Replaces addresses and process ids, which differ from run to run; cuts what is longer than a line.
pub fn mask(text: &str) -> String {
    let all = masked(text);
    let Some((end, next)) = all.char_indices().nth(MOST) else {
        return all;
    };
    // Half a word may look like a number.
    let word = |c: char| c.is_ascii_alphanumeric();
    let kept = &all[..end];
    let kept = if word(next) {
        kept.trim_end_matches(word)
    } else {
        kept
    };
    kept.to_owned()
}

/// As [`mask`], of any length.
pub(crate) fn masked(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let core = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let tail = &word[core.len()..];
        let hexadecimal = core
            .strip_prefix("0x")
            .is_some_and(|h| h.len() > 3 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = core.len() > 4 && core.bytes().all(|b| b.is_ascii_digit());
        out.push_str(if hexadecimal {
            "0x…"
        } else if number {
            "…"
        } else {
            core
        });
        out.push_str(tail);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_its_source_line() {
        let text = "x\nthread '<unnamed>' panicked at /home/u/.cargo/registry/src/index-1/rustpython-vm-0.6.0/src/bytes_inner.rs:310:9:\n\
                    index out of bounds: the len is 3 but the index is 7\nstack backtrace:";
        assert_eq!(
            panic(text).unwrap(),
            "rustpython-vm-0.6.0/src/bytes_inner.rs:310: index out of bounds: the len is 3 but the index is 7"
        );
        assert_eq!(panic("nothing"), None);
    }

    #[test]
    fn masking_hides_what_changes_from_run_to_run() {
        assert_eq!(
            mask("at 0x7fab12, pid 123456, line 12"),
            "at 0x…, pid …, line 12"
        );
    }
}
